/**
 * Files of `/proc` about the machine, not about a process. `ProcSubset=pid` of systemd hides them from a service;
 * libostree needs one of them too.
 */
import { readFile } from 'node:fs/promises';
import { AtomicError } from '../base/errors.ts';
import { tolerateMissingAsync } from '../base/file-error.ts';

export const PROC_HINT =
  'atomic needs all of /proc: a service that runs atomic needs ProcSubset=all; see `findmnt /proc`.';

/** @throws AtomicError STORE_FAILED when the file is hidden */
export async function readMachineProc(path: string): Promise<string> {
  const text = await tolerateMissingAsync(() => readFile(path, 'utf8'));
  if (text !== undefined) return text;
  throw new AtomicError('STORE_FAILED', `reading ${path}: it is not there`, { hint: PROC_HINT });
}
