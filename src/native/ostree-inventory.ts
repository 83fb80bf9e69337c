/** What a repository has, and how much room it keeps. */
import { type Pointer, type PointerSlot, takeError } from './glib.ts';
import { loadLibrary } from './koffi.ts';

const library = loadLibrary('libostree-1.so.1');
const getMinFreeSpace = library.func(
  'bool ostree_repo_get_min_free_space_bytes(void *repo, _Out_ uint64_t *bytes, _Out_ void **error)',
);

/** Bytes that every transaction leaves free, by the repository's own configuration (ostree.repo-config(5)). */
export function readMinFreeSpace(repo: Pointer): number {
  const error: PointerSlot = [null];
  const bytes: [number | bigint] = [0];
  if (!getMinFreeSpace(repo, bytes, error)) throw takeError(error);
  return Number(bytes[0]);
}
