/** Reads `/proc/PID`, where processes come and go at any time. */
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { isErrno } from '../../base/file-error.ts';

/** Lists the ids of all visible processes. */
export function listProcesses(): readonly number[] {
  return readdirSync('/proc').map(Number).filter(Number.isInteger);
}

/** Reads from `/proc/PID`. @returns `undefined` when the process has ended, or when this one may not read it */
export function readProcess<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/**
 * Reads a file of `/proc` without blocking: the kernel may take long to generate it.
 *
 * @param ifRefused the result when this process may not read the file
 * @returns `undefined` when the process has ended
 */
export async function readProcessFile(path: string, ifRefused?: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'EACCES', 'EPERM')) return ifRefused;
    if (isGone(error)) return undefined;
    throw error;
  }
}

function isGone(error: unknown): boolean {
  return isErrno(error, 'ENOENT', 'ESRCH', 'EACCES', 'EPERM', 'EINVAL');
}
