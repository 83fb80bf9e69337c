/** Reads single files of an image from the repository, without a checkout. */

import {
  closeSync,
  existsSync,
  fstatSync,
  lstatSync,
  openSync,
  readFileSync,
  readlinkSync,
  readSync,
} from 'node:fs';
import { AtomicError } from '../base/errors.ts';
import { Permission } from '../base/file-mode.ts';
import type { Host } from '../host/host.ts';
import type { Checksum } from '../image/checksum.ts';
import type { Digest } from '../image/digest.ts';
import type { ImageEntry, StoredImage } from '../image/image.ts';
import type { BlobDescriptor } from '../image/manifest.ts';
import { formatBlobRef } from '../image/ref-name.ts';
import { findRef, formatObjectPath, readCommit, readDirTree } from '../ostree/object-files.ts';
import type { DirTree } from '../ostree/ostree-objects.ts';
import { tolerateDamage } from '../ostree/tolerate-damage.ts';
import { BLOB_FILE } from './image-commit.ts';
import { readImageRoot } from './image-root.ts';

/** The kernel's limit. */
const MAX_SYMLINKS = 40;
/** The headers of ELF files with the path of the dynamic linker, and the first line of scripts, fit into it. */
const PAGE_BYTES = 4096;
const MAX_CONFIG_BYTES = 4 * 1024 * 1024;

/** The root filesystem of an image. Paths are absolute in the image; symlinks never lead out of it. */
export interface ImageTree {
  /** @returns `undefined` when there is no regular file; @throws AtomicError EXPORTS_INVALID when it is longer than `maxBytes` */
  readFile(path: string, maxBytes: number): Buffer | undefined;
  exists(path: string): boolean;
  /** Looks at a path without following symlinks, also not in its parents. */
  look(path: string): ImageEntry | undefined;
  /** Reads whether a file may be executed, and its first page. @param path without symlinks; @returns `undefined` without a file */
  readProgram(path: string): { readonly isExecutable: boolean; readonly start: Uint8Array } | undefined;
  /** @returns the names in a directory, sorted; `undefined` when there is no directory */
  listDirectory(path: string): string[] | undefined;
}

type FoundEntry =
  | { readonly kind: 'directory'; readonly tree: DirTree }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'symlink'; readonly target: string };

/** Functions that read content and directories. */
interface TreeStore {
  readonly repository: string;
  readonly readTree: (checksum: Checksum) => DirTree;
}

/** @throws AtomicError STORE_CORRUPT when the image's commit cannot be read */
export function openImageTree(host: Host, image: StoredImage): ImageTree {
  const { repository } = host.locations;
  const { dirtree, readTree } = readImageRoot(repository, image.commit);
  const root: FoundEntry = {
    kind: 'directory',
    tree: readTree(dirtree),
  };
  const resolve = (path: string): FoundEntry | undefined => resolvePath({ repository, readTree }, root, path);
  return {
    readFile(path, maxBytes) {
      const entry = resolve(path);
      return entry?.kind === 'file' ? readBounded(entry.path, path, maxBytes) : undefined;
    },
    exists: (path) => resolve(path) !== undefined,
    look(path) {
      const entry = lookAt({ repository, readTree }, root, path);
      return entry?.kind === 'symlink' || entry === undefined ? entry : { kind: entry.kind };
    },
    readProgram(path) {
      const entry = lookAt({ repository, readTree }, root, path);
      return entry?.kind === 'file' ? readProgramStart(entry.path) : undefined;
    },
    listDirectory(path) {
      const entry = resolve(path);
      if (entry?.kind !== 'directory') return undefined;
      return [...entry.tree.files, ...entry.tree.directories].map(({ name }) => name).sort();
    },
  };
}

/** Reads the text of the configuration blob. @throws AtomicError STORE_CORRUPT when the blob is missing */
export async function readImageConfig(host: Host, image: StoredImage): Promise<string> {
  const text = await findImageConfig(host, image);
  if (text !== undefined) return text;
  throw new AtomicError(
    'STORE_CORRUPT',
    `reading the configuration of ${image.reference}: the blob is missing`,
    { hint: `Fetch it again: atomic images verify --repair ${image.reference}` },
  );
}

/** @returns `undefined` when the image names no configuration, or its blob is missing */
export async function findImageConfig(host: Host, image: StoredImage): Promise<string | undefined> {
  const { repository } = host.locations;
  const path = image.configDigest === undefined ? undefined : findConfig(repository, image.configDigest);
  return path === undefined ? undefined : readBounded(path, BLOB_FILE, MAX_CONFIG_BYTES).toString('utf8');
}

/** Whether the store has all objects of a configuration blob. */
export function hasConfig(repository: string, { digest }: Pick<BlobDescriptor, 'digest'>): boolean {
  return tolerateDamage(() => findConfig(repository, digest)) !== undefined;
}

/** @returns path of the content object of a configuration blob */
function findConfig(repository: string, digest: Digest): string | undefined {
  const commit = findRef(repository, formatBlobRef(digest));
  if (commit === undefined) return undefined;
  const { dirtree } = readCommit(repository, commit);
  const file = readDirTree(repository, dirtree).files.find(({ name }) => name === BLOB_FILE);
  const path = file === undefined ? undefined : formatObjectPath(repository, file.checksum, 'file');
  return path !== undefined && existsSync(path) ? path : undefined;
}

/** Resolves a path as the kernel does with the image as its root: `..` stops at the root, and an absolute link starts there. */
function resolvePath(store: TreeStore, root: FoundEntry, path: string): FoundEntry | undefined {
  const pending = splitPath(path);
  const parents: FoundEntry[] = [];
  let at = root;
  let links = 0;
  for (let name = pending.shift(); name !== undefined; name = pending.shift()) {
    if (at.kind !== 'directory') return undefined;
    if (name === '..') {
      at = parents.pop() ?? root;
      continue;
    }
    const next = findChild(store, at.tree, name);
    if (next === undefined) return undefined;
    if (next.kind === 'symlink') {
      links += 1;
      if (links > MAX_SYMLINKS) return undefined;
      pending.unshift(...splitPath(next.target));
      if (!next.target.startsWith('/')) continue;
      at = root;
      parents.length = 0;
      continue;
    }
    parents.push(at);
    at = next;
  }
  return at;
}

function lookAt(store: TreeStore, root: FoundEntry, path: string): FoundEntry | undefined {
  let at: FoundEntry | undefined = root;
  for (const name of splitPath(path)) {
    if (at?.kind !== 'directory') return undefined;
    at = findChild(store, at.tree, name);
  }
  return at;
}

function findChild({ repository, readTree }: TreeStore, tree: DirTree, name: string): FoundEntry | undefined {
  const directory = tree.directories.find((child) => child.name === name);
  if (directory !== undefined) return { kind: 'directory', tree: readTree(directory.dirtree) };
  const file = tree.files.find((child) => child.name === name);
  if (file === undefined) return undefined;
  const path = formatObjectPath(repository, file.checksum, 'file');
  return lstatSync(path).isSymbolicLink()
    ? { kind: 'symlink', target: readlinkSync(path) }
    : { kind: 'file', path };
}

function splitPath(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}

function readProgramStart(objectPath: string): {
  readonly isExecutable: boolean;
  readonly start: Uint8Array;
} {
  const fd = openSync(objectPath, 'r');
  try {
    const start = Buffer.alloc(PAGE_BYTES);
    const length = readSync(fd, start, 0, PAGE_BYTES, 0);
    return {
      isExecutable: (fstatSync(fd).mode & Permission.execute) !== 0,
      start: start.subarray(0, length),
    };
  } finally {
    closeSync(fd);
  }
}

function readBounded(objectPath: string, path: string, maxBytes: number): Buffer {
  const fd = openSync(objectPath, 'r');
  try {
    const { size } = fstatSync(fd);
    if (size > maxBytes) {
      throw new AtomicError(
        'EXPORTS_INVALID',
        `reading ${path} of the image: ${size} bytes are more than ${maxBytes}`,
      );
    }
    return readFileSync(fd);
  } finally {
    closeSync(fd);
  }
}
