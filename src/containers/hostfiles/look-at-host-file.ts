/** Reads the file at the path of a host file, and compares it with the record of a container. */
import { closeSync, constants, lstatSync, openSync, readlinkSync, readSync, statSync } from 'node:fs';
import { isErrno, noPath, withFileErrors } from '../../base/file-error.ts';
import type { HostFilesRecord } from '../render/hostfiles/host-file.ts';
import { withHostFolder } from './open-host-folder.ts';

type FoundHostFile =
  | { readonly kind: 'missing' }
  | { readonly kind: 'file'; readonly sha256: string }
  /** `leadsTo` is the checksum of the file that the symlink leads to, or `0` when there is none. */
  | { readonly kind: 'symlink'; readonly target: string; readonly leadsTo: string | undefined }
  | { readonly kind: 'directory' | 'other' };

/** Opening a pipe does not wait for a writer. */
const openFile = constants.O_RDONLY | constants.O_NONBLOCK;
const chunkBytes = 1024 * 1024;

/** Reads the type and content of a path of the host, without following a symlink. @throws file errors */
export async function lookAtHostFile(path: string): Promise<FoundHostFile> {
  return withFileErrors(`read ${path}`, async () => withHostFolder(path, look) ?? { kind: 'missing' });
}

/** Whether a file is equal to its record. For a folder only the type counts. */
export function isAsRecorded(found: FoundHostFile, path: string, record: HostFilesRecord): boolean {
  const checksum = record.checksums[path];
  switch (found.kind) {
    case 'file':
      return record.links[path] === undefined && checksum === found.sha256;
    case 'symlink':
      // The original records only the file that a symlink leads to.
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
    const hash = new Bun.CryptoHasher('sha256');
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

/** A loop of symlinks counts as a symlink to no file. */
function lookBehind(held: string): string | undefined {
  try {
    const status = statSync(held, { throwIfNoEntry: false });
    if (status === undefined) return '0';
    return status.isFile() ? hashOpened(openSync(held, openFile)) : undefined;
  } catch (error) {
    if (isErrno(error, 'ELOOP', ...noPath)) return '0';
    throw error;
  }
}
