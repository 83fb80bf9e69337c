/**
 * The rules about everything but the text of `config.json`: the files of `/exports`, and the image around them. Their
 * level does not depend on the runtime.
 */
import { toPrintable } from '../../base/printable.ts';
import type { Finding, Level } from './finding.ts';

export const exportsRules = {
  'bad-exports': 'error',
  'bad-manifest': 'error',
  'unknown-manifest-key': 'warning',
  'unused-default': 'warning',
  'misnamed-file': 'warning',
  'two-configurations': 'warning',
  'bad-template': 'error',
  'value-missing': 'warning',
  'bad-config': 'error',
  'install-warning': 'warning',
  'command-not-found': 'error',
  'command-not-executable': 'error',
  'interpreter-not-found': 'error',
  'unnamed-user': 'warning',
  'volume-without-mount': 'warning',
  'bad-unit': 'error',
  'unit-setting': 'warning',
  'program-not-found': 'error',
  'no-bundle-folder': 'error',
  'other-bundle-folder': 'warning',
  'forking-in-foreground': 'error',
  'detached-without-forking': 'error',
  'no-install-section': 'warning',
  'bad-tmpfiles': 'error',
  'tmpfiles-outside': 'warning',
  'bad-host-files': 'error',
} as const satisfies Record<string, Level>;

export type ExportsRule = keyof typeof exportsRules;

const maxTextLength = 1000;

/**
 * @param file the file with the fault
 * @param where the place in the file; empty for the whole file
 * @param problem follows the place
 */
export function buildExportsFinding(
  rule: ExportsRule,
  { file, where, problem }: { readonly file: string; readonly where: string; readonly problem: string },
): Finding {
  const text = where === '' ? problem : `${where} ${problem}`;
  return {
    ...{ level: exportsRules[rule], rule, file, where: toPrintable(where, 200) },
    text: toPrintable(text, maxTextLength),
  };
}
