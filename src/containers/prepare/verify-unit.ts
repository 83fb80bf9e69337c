import { mkdtemp, writeFile } from 'node:fs/promises';
import { AtomicError } from '../../base/errors.ts';
import { withFileErrors } from '../../base/file-error.ts';
import { toPrintable } from '../../base/printable.ts';
import { removeTree } from '../../host/files/remove-tree.ts';
import type { Host } from '../../host/host.ts';
import { captureProgram } from '../../host/run-program.ts';
import { readUnitMessages } from '../lint/unit-messages.ts';

/** In memory, and private to root. A crash leaves an empty unit there until the next boot. */
const temporary = '/run/atomic-unit-';
const maxMessages = 10;

/**
 * Asks systemd about a unit before the unit is installed. On a host without `systemd-analyze`, systemd itself refuses a
 * bad unit later.
 *
 * @param isExpected whether a program of the unit may be missing now
 * @returns the settings that systemd ignores
 * @throws UNIT_FAILED when systemd would not start it
 */
export async function verifyUnit(
  host: Host,
  name: string,
  unit: string,
  isExpected: (program: string) => boolean,
): Promise<readonly string[]> {
  const output = await askSystemd(host, name, unit);
  const { errors, warnings } = readUnitMessages(output.text, output.file, isExpected);
  const describe = (messages: readonly string[]) => messages.slice(0, maxMessages).join('; ');
  if (errors.length > 0) {
    throw new AtomicError('UNIT_FAILED', `load ${name}.service: ${toPrintable(describe(errors))}`, {
      hint: 'It comes from service.template in /exports of the image, and the --set values.',
      details: { phase: 'build' },
    });
  }
  return warnings.length === 0 ? [] : [`service.template: ${toPrintable(describe(warnings))}`];
}

/** systemd-analyze reads no pipe, and the name of the file is that of the unit. */
async function askSystemd(host: Host, name: string, unit: string) {
  const folder = await withFileErrors(`create folder ${temporary}XXXXXX`, () => mkdtemp(temporary));
  try {
    const file = `${folder}/${name}.service`;
    await withFileErrors(`write ${file}`, () => writeFile(file, unit, { mode: 0o600 }));
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
