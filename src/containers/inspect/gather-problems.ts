import { AtomicError } from '../../base/errors.ts';
import { describeFailure, findErrno } from '../../base/file-error.ts';
import type { Host } from '../../host/host.ts';

/**
 * Reads one part of a description. Errors and warnings become problems, so that the other parts are still read.
 *
 * @param problems the list to which they are added
 * @param read gets a host that keeps warnings back
 * @throws INTERRUPTED, and mistakes of this program
 */
export async function gatherProblems<T>(
  host: Host,
  problems: string[],
  read: (host: Host) => Promise<T>,
): Promise<T | undefined> {
  const add = (text: string): void => {
    if (!problems.includes(text)) problems.push(text);
  };
  try {
    return await read({
      ...host,
      report: (event) => (event.kind === 'warning' ? add(event.text) : host.report(event)),
    });
  } catch (error) {
    const isExpected = error instanceof AtomicError || findErrno(error) !== undefined;
    if (!isExpected || (error instanceof AtomicError && error.code === 'INTERRUPTED')) throw error;
    add(describeFailure(error));
    return undefined;
  }
}
