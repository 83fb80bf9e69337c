/** Processes that come and go while they are looked at. */
import { readdirSync } from 'node:fs';
import { isErrno } from './file-error.ts';

/** Ids of all processes that can be seen. */
export function listProcesses(): readonly number[] {
  return readdirSync('/proc').map(Number).filter(Number.isInteger);
}

/** Reads something of a process. @returns undefined when the process has ended meanwhile, or is none of ours */
export function readProcess<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM', 'EINVAL'].some((errno) => isErrno(error, errno)))
      return undefined;
    throw error;
  }
}
