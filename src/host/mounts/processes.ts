/** Processes that come and go while they are looked at. */
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { isErrno } from '../../base/file-error.ts';

/** Ids of all processes that can be seen. */
export function listProcesses(): readonly number[] {
  return readdirSync('/proc').map(Number).filter(Number.isInteger);
}

/** Reads something of a process. @returns undefined when the process has ended meanwhile, or is none of ours */
export function readProcess<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/**
 * As `readProcess`, for a file that takes long: the kernel makes it as it is read.
 *
 * @param ifRefused returned for what we may not look at
 */
export async function readProcessFile(path: string, ifRefused?: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'EACCES') || isErrno(error, 'EPERM')) return ifRefused;
    if (isGone(error)) return undefined;
    throw error;
  }
}

function isGone(error: unknown): boolean {
  return ['ENOENT', 'ESRCH', 'EACCES', 'EPERM', 'EINVAL'].some((errno) => isErrno(error, errno));
}
