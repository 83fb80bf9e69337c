/** Checks that a new deployment would start: compares its files with the rules of its runtime, systemd and the image. */
import { AtomicError } from '../../base/errors.ts';
import { parseJsonObject } from '../../base/json-text.ts';
import type { Host } from '../../host/host.ts';
import { findTmpfilesFault } from '../../host/systemd/systemd-tmpfiles.ts';
import type { ImageConfig } from '../../image/configuration-blob.ts';
import { listUserIds } from '../../image/user-lookup.ts';
import type { ImageTree } from '../../store/image-files.ts';
import type { Finding, RuntimeKind } from '../lint/finding.ts';
import { type LintedImage, lintAgainstImage } from '../lint/image-rules.ts';
import { lintConfig } from '../lint/lint-config.ts';
import { connectsTerminal } from '../render/unit/unit-settings.ts';
import type { TemplateValues } from '../render/values/template.ts';
import { MAX_USER_FILE_BYTES } from './default-config.ts';
import { verifyUnit } from './verify-unit.ts';

interface LintedDeployment {
  readonly name: string;
  /** `config.json`, when the runtime reads it; it was parsed before. */
  readonly config: string | undefined;
  readonly unit: string | undefined;
  readonly values: TemplateValues;
  readonly runtime: RuntimeKind;
  /** `undefined` for a folder of templates. */
  readonly image: LintedImage | undefined;
  /** Whether a program of the unit comes with the deployment, and may be missing now. */
  readonly isExpected: (program: string) => boolean;
}

const maxLength = 4 * 1024 * 1024;
/** The largest number of faults in a message; others are counted. */
const maxShown = 10;

/** Finds faults for which the service would not start, and settings that have no effect. */
export async function lintDeployment(host: Host, deployment: LintedDeployment): Promise<readonly Finding[]> {
  const { name, config, unit, values, isExpected } = deployment;
  return [
    ...(config === undefined ? [] : lintConfigText(config, deployment)),
    ...(unit === undefined ? [] : await verifyUnit(host, { name, unit, values }, isExpected)),
  ];
}

function lintConfigText(text: string, { unit, runtime, image }: LintedDeployment): readonly Finding[] {
  const config = parseJsonObject(text, maxLength, (problem) => new AtomicError('CONFIG_INVALID', problem));
  return [
    ...lintConfig(config, runtime, { hasTerminal: unit !== undefined && connectsTerminal(unit) }),
    ...(image === undefined ? [] : lintAgainstImage(config, image)),
  ];
}

/** @param hasOwnConfig whether `config.json` comes from the image */
export function describeLintedImage(
  tree: ImageTree,
  { volumes }: ImageConfig,
  hasOwnConfig: boolean,
): LintedImage {
  const passwd = tree.readFile('etc/passwd', MAX_USER_FILE_BYTES)?.toString();
  const userIds = passwd === undefined ? undefined : listUserIds(passwd);
  return { files: tree, volumes, userIds, hasOwnConfig };
}

interface LintPolicy {
  /** The container. */
  readonly name: string;
  /** `config.json` in errors. */
  readonly path: string;
  /** Turns errors into warnings, except for a unit that systemd refuses. */
  readonly skipsLint: boolean;
}

/**
 * @returns the warnings
 * @throws CONFIG_INVALID, UNIT_FAILED for the errors
 */
export function judgeFindings(
  findings: readonly Finding[],
  { name, path, skipsLint }: LintPolicy,
): readonly string[] {
  const isError = ({ level, rule }: Finding) => level === 'error' && (!skipsLint || rule === 'bad-unit');
  const select = (file: string, wantsErrors: boolean) =>
    findings
      .filter((finding) => finding.file === file && isError(finding) === wantsErrors)
      .map(({ text }) => text);
  const advice = 'in /exports of the image, and the --set values.';
  const configErrors = select('config.json', true);
  if (configErrors.length > 0) {
    throw new AtomicError(
      'CONFIG_INVALID',
      `Invalid configuration file.  ${joinShown(configErrors)} (${path})`,
      {
        hint: `It comes from config.json or config.json.template ${advice}`,
      },
    );
  }
  const unitErrors = select('service.template', true);
  if (unitErrors.length > 0) {
    throw new AtomicError('UNIT_FAILED', `load ${name}.service: ${joinShown(unitErrors)}`, {
      hint: `It comes from service.template ${advice}`,
      details: { phase: 'build' },
    });
  }
  return ['config.json', 'service.template'].flatMap((file) => {
    const warnings = select(file, false);
    return warnings.length === 0 ? [] : [`${file}: ${joinShown(warnings)}`];
  });
}

function joinShown(texts: readonly string[]): string {
  const more = texts.length > maxShown ? `; and ${texts.length - maxShown} more` : '';
  return `${texts.slice(0, maxShown).join('; ')}${more}`;
}

/**
 * Checks the lines of a template before an install: systemd-tmpfiles would carry out those before an invalid one. The first
 * line, the marker, is left out.
 *
 * @throws TEMPLATE_INVALID
 */
export async function judgeTmpfiles(host: Host, file: string, tmpfiles: string | undefined): Promise<void> {
  const fault =
    tmpfiles === undefined
      ? undefined
      : await findTmpfilesFault(host, tmpfiles.slice(tmpfiles.indexOf('\n') + 1));
  if (fault === undefined) return;
  throw new AtomicError(
    'TEMPLATE_INVALID',
    `The template file '${file}' makes a file that systemd-tmpfiles refuses: ${fault}`,
    {
      hint: 'Check the template and the values of its variables.',
    },
  );
}
