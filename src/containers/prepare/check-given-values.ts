import { AtomicError } from '../../base/errors.ts';
import { toPrintable } from '../../base/printable.ts';
import type { InstallRequest } from '../container.ts';
import { listWrongValues } from '../render/values/declared-variables.ts';
import type { TemplateValues } from '../render/values/template.ts';
import type { ImageExports } from './read-exports.ts';

/**
 * Checks values and secrets against what the manifest declares, and the files of the secrets.
 *
 * @returns warnings
 * @throws BAD_VALUE, with all wrong values
 */
export async function checkGivenValues(
  image: string,
  { manifest }: ImageExports,
  values: TemplateValues,
  { values: set, secrets }: InstallRequest,
): Promise<readonly string[]> {
  const names = Object.keys(secrets);
  const wrong = listWrongValues(manifest.variables, { values, set, secrets: names });
  if (wrong.length > 0) {
    throw new AtomicError('BAD_VALUE', `Cannot use the values: ${wrong.join('; ')}`, {
      hint: `\`atomic images info ${toPrintable(image)}\` describes the variables.`,
      details: { problems: wrong },
    });
  }
  if (names.length === 0) return [];
  if (manifest.noContainerService) {
    throw new AtomicError('BAD_VALUE', `--secret ${names[0]}: the image has no service that could read it`, {
      hint: 'Leave --secret out.',
    });
  }
  const { checkSecretFiles } = await import('./read-option-file.ts');
  return checkSecretFiles(secrets);
}
