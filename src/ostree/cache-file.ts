/**
 * A file that holds what can be made again: SHA-256 of the rest in hex, a newline, JSON. It is written in place and not
 * synced: one that is torn, by a crash or by two programs at once, does not have its checksum and counts as none.
 */
import { hash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { findErrno } from '../base/file-error.ts';

const SUM_LENGTH = 64;
const MODE = 0o644;
const { O_RDONLY, O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW, O_NONBLOCK } = constants;
/** Whoever owns the folder may have put something else there, which must neither be followed nor waited for. */
const CAREFULLY = O_NOFOLLOW | O_NONBLOCK;

/** @returns what was written, of any shape; `undefined` when there is none that is whole */
export function readCacheFile(path: string): unknown {
  return tolerateSystemErrors(() =>
    withFile(path, O_RDONLY | CAREFULLY, (fd) => {
      const file = readFileSync(fd);
      const text = file.subarray(SUM_LENGTH + 1);
      // No limits: the checksum says that a program like this one wrote it, and a list of many images is long.
      return sum(text) === file.toString('latin1', 0, SUM_LENGTH) ? JSON.parse(text.toString()) : undefined;
    }),
  );
}

/** Does nothing where the person may not write, or the folder is missing. */
export function writeCacheFile(path: string, value: unknown): void {
  const text = JSON.stringify(value);
  tolerateSystemErrors(() =>
    withFile(path, O_WRONLY | O_CREAT | O_TRUNC | CAREFULLY, (fd) =>
      writeFileSync(fd, `${sum(text)}\n${text}`),
    ),
  );
}

function withFile<T>(path: string, flags: number, action: (fd: number) => T): T | undefined {
  const fd = openSync(path, flags, MODE);
  try {
    return fstatSync(fd).isFile() ? action(fd) : undefined;
  } finally {
    closeSync(fd);
  }
}

function tolerateSystemErrors<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    if (findErrno(error) !== undefined) return undefined;
    throw error;
  }
}

function sum(text: string | Uint8Array): string {
  return hash('sha256', text, 'hex');
}
