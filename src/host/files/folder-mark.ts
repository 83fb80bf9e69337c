/** Marks folders of the host with the name of their container, in an extended attribute that only root can change. */
import { isErrno, toFileError } from '../../base/file-error.ts';
import { findXattr, writeXattr } from '../../native/xattr.ts';

const mark = Buffer.from('trusted.atomic.container');

/** There is no such folder, or its filesystem has no such attributes. */
const missing = ['ENOENT', 'ENOTDIR', 'ENOTSUP', 'EOPNOTSUPP', 'EPERM'];

/** @returns undefined without a mark, or when the filesystem has no attributes */
export function findFolderMark(path: string): string | undefined {
  return tolerate(path, 'read', () => findXattr(path, mark)?.toString());
}

/** Does nothing when there is no such folder, or its filesystem has no attributes. */
export function markFolder(path: string, container: string): void {
  tolerate(path, 'mark', () => writeXattr(path, [mark, Buffer.from(container)]));
}

function tolerate<T>(path: string, verb: string, action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    if (missing.some((errno) => isErrno(error, errno))) return undefined;
    throw toFileError(error, `${verb} ${path}`);
  }
}
