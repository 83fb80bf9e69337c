/** `install --replace`: an install that keeps the values and the data of the container that it replaces. */
import { AtomicError } from '../../base/errors.ts';
import type { Host } from '../../host/host.ts';
import type { SourceOptions } from '../../image/image.ts';
import { formatPrivileges } from '../consent/format-privileges.ts';
import type { AlreadyPresent, InstallPlan, InstallRequest } from '../container.ts';
import { installContainer, isReadAgain, nameInstall, planInstall } from '../install/install.ts';
import { readContainer } from '../read-container.ts';
import { updateContainer } from '../update/update-together.ts';

type ReplaceOutcome =
  | { readonly kind: 'installed' | 'replaced' | 'planned'; readonly plan: InstallPlan }
  | AlreadyPresent;

/**
 * Installs a container, or gives the container of that name the image and the values, in the transaction of an update: what
 * fails or crashes leaves the old container. A container that has the image and the values already does not change.
 *
 * @param isPlan changes nothing
 * @throws as `installContainer` and `updateContainer`
 */
export async function replaceContainer(
  host: Host,
  request: InstallRequest,
  source: SourceOptions,
  isPlan: boolean,
): Promise<ReplaceOutcome> {
  const { name, image } = await nameInstall(host, request);
  const found = await readContainer(host, name);
  if (found.kind === 'absent') {
    return isPlan ? planInstall(host, request, source) : installContainer(host, request, source);
  }
  if (request.runtime !== undefined) {
    throw new AtomicError('BAD_VALUE', `Cannot replace ${name}: --replace keeps its runtime`, {
      hint: `Leave --runtime out, or remove the container first: atomic uninstall ${name}`,
    });
  }
  const update = {
    ...{ rebase: request.image, pulls: request.pulls === true || isReadAgain(image), isPlan },
    ...{ set: request.values, checkedNames: request.checkedNames, unset: [] },
    options: { set: request.options, reset: [] },
    ...{ secrets: request.secrets, unsetSecrets: [] },
    ...{ starts: true, retries: true, settle: undefined, checksHealth: true },
    ...{ keepsNew: request.keepsNew ?? false, skipsLint: request.skipsLint ?? false },
    // As for an install, which reports what it asks for.
    consent: async () => {},
  };
  const result = await updateContainer(host, name, update, source);
  if (result.outcome !== 'updated' && result.outcome !== 'planned') {
    return { kind: 'already-present', name, differences: [] };
  }
  if (result.outcome === 'planned') return { kind: 'planned', plan: result.plan };
  for (const text of formatPrivileges(result.widening)) host.report({ kind: 'asks', text });
  return { kind: 'replaced', plan: result.plan };
}
