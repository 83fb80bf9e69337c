/** The parts of libostree that read objects and files and compute their checksums. They run on a worker thread. */
import { freeMemory, type Pointer, type PointerSlot, takeError } from './glib.ts';
import { koffi, loadLibrary } from './koffi.ts';
import { callAsync } from './ostree.ts';

const AT_FDCWD = -100;
/** `OSTREE_OBJECT_TYPE_FILE`: a regular file or a symlink. */
const FILE = 1;
const CHECKSUM_LENGTH = 64;

const library = loadLibrary('libostree-1.so.1');
const fsckObject = library.func(
  'bool ostree_repo_fsck_object(void *repo, int type, const char *checksum, void *cancel, _Out_ void **error)',
);
const checksumFileAt = library.func(
  'bool ostree_checksum_file_at(int dfd, const char *path, void *stat, int type, int flags, _Out_ void **checksum, void *cancel, _Out_ void **error)',
);

/**
 * Reads a content object whole and compares its checksum, which covers content, owner, mode and xattrs (or the target
 * of a symlink), in the form that the repository's mode gives them.
 *
 * @throws GErrorThrown with the fault; `g-io-error-quark` `notFound` when it is missing
 */
export async function checkFileObject(repo: Pointer, checksum: string): Promise<void> {
  const error: PointerSlot = [null];
  if (!(await callAsync(fsckObject, [repo, FILE, checksum, null, error]))) throw takeError(error);
}

/**
 * Computes the checksum that a file or symlink would have as an object.
 *
 * @param path not followed when it is a symlink
 * @returns 64 hex digits
 */
export async function checksumFile(path: string): Promise<string> {
  const error: PointerSlot = [null];
  const checksum: PointerSlot = [null];
  if (!(await callAsync(checksumFileAt, [AT_FDCWD, path, null, FILE, 0, checksum, null, error]))) {
    throw takeError(error);
  }
  const hex: string = koffi.decode(checksum[0], 'char', CHECKSUM_LENGTH);
  freeMemory(checksum[0]);
  return hex;
}
