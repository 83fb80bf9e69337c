/** What is at the place of a host file now, and whether it is what a container has put there. */
import { createHash } from 'node:crypto';
import { closeSync, constants, lstatSync, openSync, readlinkSync, readSync, statSync } from 'node:fs';
import { isErrno, withFileErrors } from '../../base/file-error.ts';
import type { HostFilesRecord } from '../render/hostfiles/host-file.ts';
import { withHostFolder } from './open-host-folder.ts';

export type FoundHostFile =
  | { readonly kind: 'missing' }
  | { readonly kind: 'file'; readonly sha256: string }
  /** `leadsTo` is what is behind it: the checksum of a file, `0` when there is nothing. */
  | { readonly kind: 'symlink'; readonly target: string; readonly leadsTo: string | undefined }
  | { readonly kind: 'directory' | 'other' };

/** The open of a pipe does not wait for a writer. */
const openFile = constants.O_RDONLY | constants.O_NONBLOCK;
const chunkBytes = 1024 * 1024;

/** Looks at a path of the host; no symlink is followed. @throws file errors */
export async function lookAtHostFile(path: string): Promise<FoundHostFile> {
  return withFileErrors(`read ${path}`, async () => withHostFolder(path, look) ?? { kind: 'missing' });
}

/** Whether what was found is what the record says. A folder has no content of its own. */
export function isAsRecorded(found: FoundHostFile, path: string, record: HostFilesRecord): boolean {
  const checksum = record.checksums[path];
  switch (found.kind) {
    case 'file':
      return record.links[path] === undefined && checksum === found.sha256;
    case 'symlink':
      // The original records only what is behind a symlink.
      return record.links[path] === undefined
        ? checksum !== undefined && checksum === found.leadsTo
        : record.links[path] === found.target;
    case 'directory':
      return record.links[path] === undefined && checksum === '0';
    default:
      return false;
  }
}

/** @param path of a regular file; a symlink is refused */
export function hashFile(path: string): string {
  return hashOpened(openSync(path, openFile | constants.O_NOFOLLOW));
}

function hashOpened(file: number): string {
  try {
    const hash = createHash('sha256');
    const chunk = Buffer.allocUnsafe(chunkBytes);
    for (let length = readSync(file, chunk); length > 0; length = readSync(file, chunk)) {
      hash.update(chunk.subarray(0, length));
    }
    return hash.digest('hex');
  } finally {
    closeSync(file);
  }
}

function look(held: string): FoundHostFile {
  const status = lstatSync(held, { throwIfNoEntry: false });
  if (status === undefined) return { kind: 'missing' };
  if (status.isFile()) return { kind: 'file', sha256: hashFile(held) };
  if (status.isSymbolicLink()) {
    return { kind: 'symlink', target: readlinkSync(held), leadsTo: lookBehind(held) };
  }
  return { kind: status.isDirectory() ? 'directory' : 'other' };
}

/** A symlink in a circle leads to nothing. */
function lookBehind(held: string): string | undefined {
  try {
    const status = statSync(held, { throwIfNoEntry: false });
    if (status === undefined) return '0';
    return status.isFile() ? hashOpened(openSync(held, openFile)) : undefined;
  } catch (error) {
    if (isErrno(error, 'ELOOP') || isErrno(error, 'ENOTDIR') || isErrno(error, 'ENOENT')) return '0';
    throw error;
  }
}
