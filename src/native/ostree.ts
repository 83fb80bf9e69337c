/**
 * libostree, as thin functions on an opaque repository. Every failure is thrown as `GErrorThrown`. Functions that
 * return a promise run on a worker thread; the number of those in flight must stay below the size of the pool.
 */
import {
  createVariant,
  freeMemory,
  type Pointer,
  type PointerSlot,
  readVariant,
  takeError,
  unrefObject,
  unrefVariant,
} from './glib.ts';
import { koffi, loadLibrary } from './koffi.ts';
import { syncFilesystemAsync } from './libc.ts';

const AT_FDCWD = -100;
const REPO_MODES = { bare: 0, 'bare-user': 2 } as const;
const OBJECT_TYPES = { dirtree: 2, dirmeta: 3, commit: 4 } as const;
const VARIANT_TYPES = {
  dirtree: '(a(say)a(sayay))',
  dirmeta: '(uuua(ayay))',
  commit: '(a{sv}aya(say)sstayay)',
} as const;
const CHECKSUM_BYTES = 32;

type MetadataKind = keyof typeof OBJECT_TYPES;

const checkoutOptions = koffi.struct('atomic_checkout_options', {
  mode: 'int',
  overwrite_mode: 'int',
  enable_uncompressed_cache: 'int',
  enable_fsync: 'int',
  process_whiteouts: 'int',
  no_copy_fallback: 'int',
  force_copy: 'int',
  bareuseronly_dirs: 'int',
  force_copy_zerosized: 'int',
  process_passthrough_whiteouts: 'int',
  unused_bools: koffi.array('int', 3),
  subpath: 'const char *',
  devino_to_csum_cache: 'void *',
  unused_ints: koffi.array('int', 6),
  unused_ptrs: koffi.array('void *', 3),
  filter: 'void *',
  filter_user_data: 'void *',
  sepolicy: 'void *',
  sepolicy_prefix: 'const char *',
});

const library = loadLibrary('libostree-1.so.1');
const openAt = library.func(
  'void *ostree_repo_open_at(int dfd, const char *path, void *cancel, _Out_ void **error)',
);
const createAt = library.func(
  'void *ostree_repo_create_at(int dfd, const char *path, int mode, void *options, void *cancel, _Out_ void **error)',
);
const prepare = library.func(
  'bool ostree_repo_prepare_transaction(void *repo, void *resume, void *cancel, _Out_ void **error)',
);
const commit = library.func(
  'bool ostree_repo_commit_transaction(void *repo, void *stats, void *cancel, _Out_ void **error)',
);
const getDescriptor = library.func('int ostree_repo_get_dfd(void *repo)');
const setDisableSync = library.func('void ostree_repo_set_disable_fsync(void *repo, bool disable)');
const abort = library.func(
  'bool ostree_repo_abort_transaction(void *repo, void *cancel, _Out_ void **error)',
);
const transactionSetRef = library.func(
  'void ostree_repo_transaction_set_ref(void *repo, const char *remote, const char *ref, const char *checksum)',
);
const setRefImmediate = library.func(
  'bool ostree_repo_set_ref_immediate(void *repo, const char *remote, const char *ref, const char *checksum, void *cancel, _Out_ void **error)',
);
const loadVariant = library.func(
  'bool ostree_repo_load_variant(void *repo, int type, const char *checksum, _Out_ void **variant, _Out_ void **error)',
);
const writeMetadataCall = library.func(
  'bool ostree_repo_write_metadata(void *repo, int type, const char *expected, void *variant, _Out_ void **checksum, void *cancel, _Out_ void **error)',
);
const writeRegularFile = library.func(
  'void *ostree_repo_write_regfile_inline(void *repo, const char *expected, uint32_t uid, uint32_t gid, uint32_t mode, void *xattrs, const uint8_t *data, size_t length, void *cancel, _Out_ void **error)',
);
const checkoutAt = library.func(
  'bool ostree_repo_checkout_at(void *repo, atomic_checkout_options *options, int dfd, const char *path, const char *commit, void *cancel, _Out_ void **error)',
);

/** Sizes that the tests compare with the library's own headers. */
export const optionSizes = {
  checkoutOptions: koffi.sizeof(checkoutOptions),
} as const;

/** Opens an existing repository. */
export function openRepository(path: string): Pointer {
  const error: PointerSlot = [null];
  const repo = openAt(AT_FDCWD, path, null, error);
  if (error[0] !== null) throw takeError(error);
  return repo;
}

/** Creates a repository, or completes one whose creation was interrupted. */
export function createRepository(path: string, mode: keyof typeof REPO_MODES): Pointer {
  const error: PointerSlot = [null];
  const repo = createAt(AT_FDCWD, path, REPO_MODES[mode], null, null, error);
  if (error[0] !== null) throw takeError(error);
  return repo;
}

export function closeRepository(repo: Pointer): void {
  unrefObject(repo);
}

/** Takes the repository's shared lock and opens its transaction. A repository has one transaction at a time. */
export function beginTransaction(repo: Pointer): void {
  const error: PointerSlot = [null];
  if (!prepare(repo, null, null, error)) throw takeError(error);
}

/**
 * Syncs all new objects with one `syncfs`, then moves them into place, and syncs their names with a second one. libostree would
 * sync each of the 256 folders of objects instead, and each of these syncs has the disk empty its cache.
 *
 * @throws SystemCallFailed when the disk has failed since the repository was opened; GErrorThrown
 */
export async function commitTransaction(repo: Pointer): Promise<void> {
  const fd: number = getDescriptor(repo);
  await syncFilesystemAsync(fd);
  const error: PointerSlot = [null];
  setDisableSync(repo, true);
  try {
    if (!(await callAsync(commit, [repo, null, null, error]))) throw takeError(error);
  } finally {
    setDisableSync(repo, false);
  }
  await syncFilesystemAsync(fd);
}

/** Discards everything since `beginTransaction`; does nothing without a transaction. */
export function abortTransaction(repo: Pointer): void {
  const error: PointerSlot = [null];
  if (!abort(repo, null, error)) throw takeError(error);
}

/** Points a ref at a commit when the transaction commits. */
export function setRef(repo: Pointer, ref: string, checksum: string): void {
  transactionSetRef(repo, null, ref, checksum);
}

/** Removes a ref at once, without a transaction: it unlinks the file, which needs no space. A missing ref is no error. */
export function removeRef(repo: Pointer, ref: string): void {
  const error: PointerSlot = [null];
  if (!setRefImmediate(repo, null, ref, null, null, error)) throw takeError(error);
}

/** Reads a metadata object of the repository or of the open transaction. Does not verify its checksum. */
export function loadMetadata(repo: Pointer, kind: MetadataKind, checksum: string): Buffer {
  const error: PointerSlot = [null];
  const variant: PointerSlot = [null];
  if (!loadVariant(repo, OBJECT_TYPES[kind], checksum, variant, error)) throw takeError(error);
  const data = readVariant(variant[0]);
  unrefVariant(variant[0]);
  return data;
}

/**
 * Writes a metadata object in the open transaction.
 *
 * @param data its serialised form
 * @returns its checksum, 64 hex digits
 */
export function writeMetadata(repo: Pointer, kind: MetadataKind, data: Buffer): string {
  const error: PointerSlot = [null];
  const checksum: PointerSlot = [null];
  const variant = createVariant(VARIANT_TYPES[kind], data);
  try {
    if (!writeMetadataCall(repo, OBJECT_TYPES[kind], null, variant, checksum, null, error)) {
      throw takeError(error);
    }
  } finally {
    unrefVariant(variant);
  }
  const hex = Buffer.from(koffi.decode(checksum[0], 'uint8_t', CHECKSUM_BYTES)).toString('hex');
  freeMemory(checksum[0]);
  return hex;
}

/** Writes a regular file of owner 0:0, mode 0644, without xattrs, in the open transaction; returns its checksum. */
export function writeFileObject(repo: Pointer, content: Buffer): string {
  const error: PointerSlot = [null];
  const regularFile = 0o100644;
  const text = writeRegularFile(repo, null, 0, 0, regularFile, null, content, content.length, null, error);
  if (error[0] !== null) throw takeError(error);
  const checksum: string = koffi.decode(text, 'char', CHECKSUM_BYTES * 2);
  freeMemory(text);
  return checksum;
}

/**
 * Checks out the folder `subpath` (`/` for all) of a commit as hard links into `path`, which must not exist. Does not
 * sync. libostree copies a file when the kernel refuses a hard link: the file has the maximum number, or `path` is on
 * another filesystem.
 */
export async function checkoutWithLinks(
  repo: Pointer,
  commitChecksum: string,
  subpath: string,
  path: string,
): Promise<void> {
  const error: PointerSlot = [null];
  const options = {
    mode: 0,
    overwrite_mode: 0,
    enable_uncompressed_cache: 0,
    enable_fsync: 0,
    process_whiteouts: 0,
    no_copy_fallback: 0,
    force_copy: 0,
    bareuseronly_dirs: 0,
    force_copy_zerosized: 0,
    process_passthrough_whiteouts: 0,
    unused_bools: [0, 0, 0],
    subpath,
    devino_to_csum_cache: null,
    unused_ints: [0, 0, 0, 0, 0, 0],
    unused_ptrs: [null, null, null],
    filter: null,
    filter_user_data: null,
    sepolicy: null,
    sepolicy_prefix: null,
  };
  if (!(await callAsync(checkoutAt, [repo, options, AT_FDCWD, path, commitChecksum, null, error]))) {
    throw takeError(error);
  }
}

export function callAsync(call: ReturnType<typeof library.func>, args: unknown[]): Promise<boolean> {
  return new Promise((resolve, reject) => {
    call.async(...args, (error: Error | null, value: boolean) =>
      error === null ? resolve(value) : reject(error),
    );
  });
}
