/**
 * A cache file: SHA-256 of the rest in hex, a newline, JSON. It is written in place and not synced. When a crash or two
 * writers at once leave a mixture, the checksum is wrong and the file counts as missing.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { findErrno } from '../base/file-error.ts';
import { FileMode } from '../base/file-mode.ts';

const SUM_LENGTH = 64;
const { O_RDONLY, O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW, O_NONBLOCK } = constants;
/**
 * The folder may belong to another user, so the path may be a symlink or a FIFO: it does not follow the one and does
 * not wait for the other.
 */
const CAREFULLY = O_NOFOLLOW | O_NONBLOCK;

/** @returns the value that was written; the caller checks its shape. `undefined` when there is no intact file */
export function readCacheFile(path: string): unknown {
  return tolerateSystemErrors(() =>
    withFile(path, O_RDONLY | CAREFULLY, (fd) => {
      const file = readFileSync(fd);
      const text = file.subarray(SUM_LENGTH + 1);
      // No limits: the checksum shows that this program wrote it, and a list of many images is long.
      return sum(text) === file.toString('latin1', 0, SUM_LENGTH) ? JSON.parse(text.toString()) : undefined;
    }),
  );
}

/** Does nothing when the user may not write there or the folder is missing. */
export function writeCacheFile(path: string, value: unknown): void {
  const text = JSON.stringify(value);
  tolerateSystemErrors(() =>
    withFile(path, O_WRONLY | O_CREAT | O_TRUNC | CAREFULLY, (fd) =>
      writeFileSync(fd, `${sum(text)}\n${text}`),
    ),
  );
}

function withFile<T>(path: string, flags: number, action: (fd: number) => T): T | undefined {
  const fd = openSync(path, flags, FileMode.public);
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
  return Bun.CryptoHasher.hash('sha256', text, 'hex');
}
