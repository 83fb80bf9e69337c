/** Questions about a repository: whether it has an object, and how much space it leaves free. */
import { type Pointer, type PointerSlot, takeError } from './glib.ts';
import { loadLibrary } from './koffi.ts';

const OBJECT_TYPES = { file: 1, dirtree: 2, dirmeta: 3, commit: 4 } as const;

const library = loadLibrary('libostree-1.so.1');
const hasObjectCall = library.func(
  'bool ostree_repo_has_object(void *repo, int type, const char *checksum, _Out_ bool *have, void *cancel, _Out_ void **error)',
);
const getMinFreeSpace = library.func(
  'bool ostree_repo_get_min_free_space_bytes(void *repo, _Out_ uint64_t *bytes, _Out_ void **error)',
);

/** Whether the repository or its open transaction has an object. */
export function hasObject(repo: Pointer, kind: keyof typeof OBJECT_TYPES, checksum: string): boolean {
  const error: PointerSlot = [null];
  const have: [boolean] = [false];
  if (!hasObjectCall(repo, OBJECT_TYPES[kind], checksum, have, null, error)) throw takeError(error);
  return have[0];
}

/** Bytes that every transaction leaves free, by the repository's own configuration (ostree.repo-config(5)). */
export function readMinFreeSpace(repo: Pointer): number {
  const error: PointerSlot = [null];
  const bytes: [number | bigint] = [0];
  if (!getMinFreeSpace(repo, bytes, error)) throw takeError(error);
  return Number(bytes[0]);
}
