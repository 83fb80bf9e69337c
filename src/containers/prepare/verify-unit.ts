import { mkdtempSync, writeFileSync } from 'node:fs';
import { AtomicError } from '../../base/errors.ts';
import { withFileErrors } from '../../base/file-error.ts';
import { FileMode } from '../../base/file-mode.ts';
import { removeTree } from '../../host/files/remove-tree.ts';
import type { Host } from '../../host/host.ts';
import { captureProgram } from '../../host/run-program.ts';
import { buildExportsFinding, type ExportsRule } from '../lint/exports-rules.ts';
import type { Finding } from '../lint/finding.ts';
import { readUnitMessages } from '../lint/unit-messages.ts';
import { lintUnit, listNeededPrograms } from '../lint/unit-rules.ts';
import type { TemplateValues } from '../render/values/template.ts';

/** Private to the caller, and for root in memory. A crash leaves a unit there until the next boot. */
const temporary = { root: '/run/atomic-unit-', others: '/tmp/atomic-unit-' };
const maxMessages = 10;

/**
 * Asks systemd about a unit before the unit is installed. On a host without `systemd-analyze`, systemd itself refuses a
 * bad unit later.
 *
 * @param isExpected whether a program of the unit may be missing now
 */
export async function verifyUnit(
  host: Host,
  { name, unit, values }: { readonly name: string; readonly unit: string; readonly values: TemplateValues },
  isExpected: (program: string) => boolean,
): Promise<readonly Finding[]> {
  const output = await askSystemd(host, name, unit);
  const { errors, warnings, programs } = readUnitMessages(output.text, output.file, isExpected);
  const needed = listNeededPrograms(unit);
  const find = (rule: ExportsRule) => (problem: string) =>
    buildExportsFinding(rule, { file: 'service.template', where: '', problem });
  const describe = ({ path, problem }: { readonly path: string; readonly problem: string }) =>
    `Command ${path} is not executable: ${problem}`;
  return [
    ...errors.slice(0, maxMessages).map(find('bad-unit')),
    ...programs
      .filter(({ path }) => needed.includes(path))
      .map(describe)
      .map(find('program-not-found')),
    ...lintUnit(unit, values),
    ...warnings.slice(0, maxMessages).map(find('unit-setting')),
    ...programs
      .filter(({ path }) => !needed.includes(path))
      .map(describe)
      .map(find('unit-setting')),
  ];
}

/**
 * systemd-analyze reads no pipe, and the name of the file is that of the unit. The program runs when this function first waits,
 * so that the caller can do other work meanwhile.
 */
async function askSystemd(host: Host, name: string, unit: string) {
  const prefix = host.uid === 0 ? temporary.root : temporary.others;
  const folder = await withFileErrors(`create folder ${prefix}XXXXXX`, async () => mkdtempSync(prefix));
  try {
    const file = `${folder}/${name}.service`;
    await withFileErrors(`write ${file}`, async () => writeFileSync(file, unit, { mode: FileMode.private }));
    const argv = ['systemd-analyze', 'verify', '--man=no', '--recursive-errors=no', file];
    const { stderrTail } = await captureProgram(host, argv);
    return { file, text: stderrTail };
  } catch (error) {
    if (error instanceof AtomicError && error.code === 'TOOL_MISSING') return { file: '', text: '' };
    throw error;
  } finally {
    await removeTree(folder);
  }
}
