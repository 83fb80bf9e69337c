/** Checks that a new deployment would start: compares `config.json` with the rules of its runtime. */
import { AtomicError } from '../../base/errors.ts';
import { parseJsonObject } from '../../base/json-text.ts';
import { findRuntimeKind } from '../lint/finding.ts';
import { lintConfig } from '../lint/lint-config.ts';
import { connectsTerminal } from '../render/unit/unit-terminal.ts';

interface StartedFiles {
  /** `config.json`, which was parsed before. */
  readonly config: string;
  /** Its name in errors. */
  readonly path: string;
  readonly unit: string;
  /** Path of the OCI runtime. */
  readonly runtime: string;
}

const maxLength = 4 * 1024 * 1024;
/** The largest number of faults in a message; others are counted. */
const maxShown = 10;

/**
 * Finds faults for which the runtime would refuse to start the service, before the running container changes.
 *
 * @returns the settings that the runtime does not obey
 * @throws CONFIG_INVALID for faults that it refuses
 */
export function lintDeployment({ config, path, unit, runtime }: StartedFiles): readonly string[] {
  const invalid = (problem: string) =>
    new AtomicError('CONFIG_INVALID', `Invalid configuration file.  ${problem} (${path})`, {
      hint: 'It comes from config.json or config.json.template in /exports of the image, and the --set values.',
    });
  const findings = lintConfig(parseJsonObject(config, maxLength, invalid), findRuntimeKind(runtime), {
    hasTerminal: connectsTerminal(unit),
  });
  const select = (wanted: string) => findings.filter(({ level }) => level === wanted).map(({ text }) => text);
  const errors = select('error');
  if (errors.length > 0) throw invalid(joinShown(errors));
  const warnings = select('warning');
  return warnings.length === 0 ? [] : [`config.json: ${joinShown(warnings)}`];
}

function joinShown(texts: readonly string[]): string {
  const more = texts.length > maxShown ? `; and ${texts.length - maxShown} more` : '';
  return `${texts.slice(0, maxShown).join('; ')}${more}`;
}
