/** Checks the files with credentials and certificates for a registry. skopeo treats a missing file as an empty one. */
import { accessSync, constants, statSync } from 'node:fs';
import { AtomicError } from '../../base/errors.ts';
import { isErrno, noPath } from '../../base/file-error.ts';
import { toPrintable } from '../../base/printable.ts';
import { requireFindable } from '../../host/working-directory.ts';
import type { SourceOptions } from '../../image/image.ts';
import { sourceUnreadable, toReadError } from '../failures/file-failure.ts';

/** @throws AtomicError SOURCE_UNREADABLE when a file or folder of an option is missing or cannot be read */
export function requireAccessFiles({ authFile, certDirectory }: SourceOptions): void {
  // The path may be a pipe of the shell, which can be read only once, so the file is not opened here.
  if (authFile !== undefined && isReadableFolder('--authfile', authFile)) {
    throw sourceUnreadable(authFile, 'it is a folder, not a file');
  }
  if (certDirectory !== undefined && !isReadableFolder('--cert-dir', certDirectory)) {
    throw sourceUnreadable(certDirectory, 'it is not a folder');
  }
}

/** @returns whether the path is a folder */
function isReadableFolder(option: string, path: string): boolean {
  requireFindable(path);
  try {
    accessSync(path, constants.R_OK);
    return statSync(path).isDirectory();
  } catch (error) {
    if (!isErrno(error, ...noPath)) throw toReadError(error, path);
    throw new AtomicError(
      'SOURCE_UNREADABLE',
      `reading ${toPrintable(path)}: there is no such file or folder`,
      {
        hint: `Check the path after ${option}; a relative path begins at the current folder.`,
      },
    );
  }
}
