/**
 * The part of libostree that removes objects. Only prune loads it.
 */
import { type Pointer, type PointerSlot, takeError } from './glib.ts';
import { koffi, loadLibrary } from './koffi.ts';
import { callAsync } from './ostree.ts';

/** `OstreeObjectType`. */
const OBJECT_TYPES = { file: 1, dirtree: 2, dirmeta: 3, commit: 4 } as const;

const pruneOptions = koffi.struct('atomic_prune_options', {
  flags: 'int',
  reachable: 'void *',
  unused_bools: koffi.array('int', 6),
  unused_ints: koffi.array('int', 6),
  unused_ptrs: koffi.array('void *', 7),
});

const library = loadLibrary('libostree-1.so.1');
const glib = loadLibrary('libglib-2.0.so.0');
const newReachable = library.func('void *ostree_repo_traverse_new_reachable()');
const serializeName = library.func('void *ostree_object_name_serialize(const char *checksum, int type)');
const pruneFromReachable = library.func(
  'bool ostree_repo_prune_from_reachable(void *repo, atomic_prune_options *options, _Out_ int *total, _Out_ int *pruned, _Out_ uint64_t *bytes, void *cancel, _Out_ void **error)',
);
const deleteObject = library.func(
  'bool ostree_repo_delete_object(void *repo, int type, const char *checksum, void *cancel, _Out_ void **error)',
);
const variantRefSink = glib.func('void *g_variant_ref_sink(void *variant)');
const hashTableAdd = glib.func('bool g_hash_table_add(void *table, void *key)');
const hashTableUnref = glib.func('void g_hash_table_unref(void *table)');

/** Size that the tests compare with the library's own header. */
export const pruneOptionsSize = koffi.sizeof(pruneOptions);

type PrunedKind = keyof typeof OBJECT_TYPES;

/** Removes a commit and its detached metadata. The trees stay. */
export function removeCommit(repo: Pointer, checksum: string): void {
  const error: PointerSlot = [null];
  if (!deleteObject(repo, OBJECT_TYPES.commit, checksum, null, error)) throw takeError(error);
}

/**
 * Removes every object that is not in `reachable`, one by one. After a crash the next call removes the rest.
 *
 * @param reachable checksums of the objects that stay, by kind
 * @returns the number of removed objects, and the sum of the lengths of their files in bytes
 */
export async function removeOtherObjects(
  repo: Pointer,
  reachable: Readonly<Record<PrunedKind, ReadonlySet<string>>>,
): Promise<{ objects: number; bytes: number }> {
  const table = newReachable();
  try {
    for (const kind of Object.keys(OBJECT_TYPES) as PrunedKind[]) {
      for (const checksum of reachable[kind]) {
        hashTableAdd(table, variantRefSink(serializeName(checksum, OBJECT_TYPES[kind])));
      }
    }
    const options = {
      flags: 0,
      reachable: table,
      unused_bools: new Array(6).fill(0),
      unused_ints: new Array(6).fill(0),
      unused_ptrs: new Array(7).fill(null),
    };
    const [total, pruned, bytes] = [[0], [0], [0]];
    const error: PointerSlot = [null];
    if (!(await callAsync(pruneFromReachable, [repo, options, total, pruned, bytes, null, error]))) {
      throw takeError(error);
    }
    return { objects: Number(pruned[0]), bytes: Number(bytes[0]) };
  } finally {
    hashTableUnref(table);
  }
}
