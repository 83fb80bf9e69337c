/** The files of `src/ostree/cache-file.ts`, as another program would write them. */
import { hash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';

/** A checksum in hex, and a newline. */
const HEAD_LENGTH = 65;

/** @returns the JSON after the checksum */
export function readCacheContent(path: string): string {
  return readFileSync(path, 'utf8').slice(HEAD_LENGTH);
}

/** @param content JSON; it gets a checksum that is true */
export function writeCacheContent(path: string, content: string): void {
  writeFileSync(path, `${hash('sha256', content, 'hex')}\n${content}`);
}
