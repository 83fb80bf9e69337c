/** The last lines that a unit has written to the journal. */
import { AtomicError } from '../../base/errors.ts';
import { toPrintable } from '../../base/printable.ts';
import type { Host } from '../../host/host.ts';
import { captureProgram } from '../../host/run-program.ts';
import { shortenUnit } from '../../host/systemd/systemctl.ts';
import { readUnitRuns } from './service-run.ts';

const MAX_LOG_LINES = 10;
const MAX_LINE = 300;

/**
 * Lists the units under which the journal files what a container writes: journald looks at the process that has written a
 * line, and the runtime puts those of the container into a scope of its own.
 */
export function listScopes(name: string): readonly string[] {
  return ['runc', 'crun'].map((runtime) => `${runtime}-${name}.scope`);
}

/**
 * Reads the last lines of this run of the service; none when the journal cannot be read. The journal knows the run of a
 * process only while the process exists: a service that ends at once is found by its unit. Lines of systemd are used only
 * when the service itself has written none: systemd writes a line for each process that it kills.
 *
 * @param unit with its type
 */
export async function readLastLines(host: Host, unit: string): Promise<readonly string[]> {
  const [{ invocation, since } = { invocation: '', since: '' }] = await readUnitRuns(host, [unit]);
  if (invocation === '' || since === '') return [];
  const scopes = listScopes(shortenUnit(unit)).map((scope) => `_SYSTEMD_UNIT=${scope}`);
  for (const matches of [
    [`_SYSTEMD_INVOCATION_ID=${invocation}`, '+', ...scopes],
    [`_SYSTEMD_UNIT=${unit}`],
    [`INVOCATION_ID=${invocation}`],
  ]) {
    const lines = await readJournal(host, [`--since=${since}`, ...matches]);
    if (lines.length > 0) return lines;
  }
  return [];
}

async function readJournal(host: Host, matches: readonly string[]): Promise<readonly string[]> {
  const argv = ['journalctl', '--quiet', '--no-pager', '--boot', '--output=cat', `--lines=${MAX_LOG_LINES}`];
  const result = await captureProgram(host, [...argv, ...matches]).catch((error: unknown) => {
    // The log only helps the person. An error of reading it must not replace the error that the service is not up.
    if (error instanceof AtomicError && error.code !== 'INTERRUPTED') return undefined;
    throw error;
  });
  if (result?.exitCode !== 0) return [];
  return result.stdout
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => toPrintable(line, MAX_LINE));
}
