/** A folder of templates on this machine, read as `/exports` of an image. Symlinks may not lead out of it. */
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  statSync,
} from 'node:fs';
import { resolve } from 'node:path';
import { AtomicError } from '../../base/errors.ts';
import { isErrno, noPath, toFileError, tolerateMissing } from '../../base/file-error.ts';
import { PERMISSIONS } from '../../base/file-mode.ts';
import { toPrintable } from '../../base/printable.ts';
import { requireFindable } from '../../host/working-directory.ts';
import type { ImageTree } from '../../store/image-files.ts';
import type { WalkedEntry } from '../../store/walk-image.ts';
import { exportsNames } from '../lint/manifest-rules.ts';

interface ExportsFolder {
  /** Absolute path of the folder with the templates, without symlinks. */
  readonly path: string;
  /** An image that has only the folder. */
  readonly tree: ImageTree;
  /** Walks `hostfs`, as `walkImage` does for an image. */
  readonly walkHostFiles: () => Iterable<WalkedEntry>;
}

/** Whether an argument means a folder and not an image: names of images do not look like this. */
export function isFolderPath(written: string): boolean {
  return /^[./]/.test(written) || written.endsWith('/');
}

/**
 * @param written a folder that has a folder `exports`, or one with its files
 * @throws BAD_VALUE when it is neither; SOURCE_UNREADABLE
 */
export function openExportsFolder(written: string): ExportsFolder {
  requireFindable(written);
  const shown = toPrintable(written);
  const outer = readFile(shown, () => tolerateMissing(() => realpathSync(resolve(written)), noPath));
  if (outer === undefined) {
    throw new AtomicError('BAD_VALUE', `Cannot read ${shown}: there is no such folder`, {
      hint: `To make one with templates: atomic init ${shown}`,
    });
  }
  if (!readFile(shown, () => statSync(outer)).isDirectory()) {
    throw new AtomicError('BAD_VALUE', `Cannot read ${shown}: it is not a folder`, {
      hint: 'Name the folder that has config.json.template or service.template, or the one above it.',
    });
  }
  const path = chooseFolder(outer, shown);
  return { path, tree: buildTree(path), walkHostFiles: () => walkFolder(path, `${path}/hostfs`, '') };
}

function chooseFolder(outer: string, shown: string): string {
  const inner = readFile(`${shown}/exports`, () =>
    tolerateMissing(() => realpathSync(`${outer}/exports`), noPath),
  );
  if (inner !== undefined && statSync(inner).isDirectory()) {
    requireInside(outer, inner, `${shown}/exports`);
    return inner;
  }
  const names = readFile(shown, () => readdirSync(outer));
  if (names.some((name) => exportsNames.includes(name))) return outer;
  throw new AtomicError(
    'BAD_VALUE',
    `${shown} has no folder exports, and none of its files: ${exportsNames.join(', ')}`,
    { hint: `To make them: atomic init ${shown}` },
  );
}

function buildTree(root: string): ImageTree {
  const find = (path: string): string | undefined => findPath(root, path);
  return {
    readFile(path, maxBytes) {
      const file = find(path);
      return file === undefined ? undefined : readRegularFile(file, maxBytes);
    },
    exists: (path) => find(path) !== undefined,
    look(path) {
      const written = writePath(root, path);
      const status =
        written === undefined
          ? undefined
          : readFile(written, () => tolerateMissing(() => lstatSync(written), noPath));
      if (written === undefined || status === undefined) return undefined;
      if (status.isSymbolicLink()) return { kind: 'symlink', target: readlinkSync(written) };
      return { kind: status.isDirectory() ? 'directory' : 'file' };
    },
    readProgram: () => undefined,
    listDirectory(path) {
      const folder = find(path);
      if (folder === undefined || !statSync(folder).isDirectory()) return undefined;
      return readFile(folder, () => readdirSync(folder)).sort();
    },
  };
}

/** @returns `undefined` for a path outside `/exports`, which the folder does not have */
function writePath(root: string, path: string): string | undefined {
  const [first, ...rest] = path.split('/').filter((part) => part !== '' && part !== '.');
  return first === 'exports' && !rest.includes('..') ? [root, ...rest].join('/') : undefined;
}

/** Follows symlinks. @throws EXPORTS_INVALID when they lead out of the folder */
function findPath(root: string, path: string): string | undefined {
  const written = writePath(root, path);
  if (written === undefined) return undefined;
  const real = readFile(written, () => tolerateMissing(() => realpathSync(written), noPath));
  if (real !== undefined) requireInside(root, real, written);
  return real;
}

function requireInside(root: string, real: string, written: string): void {
  if (real === root || real.startsWith(root === '/' ? root : `${root}/`)) return;
  throw new AtomicError(
    'EXPORTS_INVALID',
    `Cannot read ${toPrintable(written)}: it is a symlink that leads out of ${toPrintable(root)}`,
    { hint: 'Copy the file into the folder: a build of the image copies the symlink, not the file.' },
  );
}

/** A pipe would block the reader, so that the file is opened without waiting. */
function readRegularFile(path: string, maxBytes: number): Buffer | undefined {
  return readFile(path, () => {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const status = fstatSync(fd);
      if (status.isDirectory()) return undefined;
      if (!status.isFile()) {
        throw new AtomicError(
          'EXPORTS_INVALID',
          `Cannot read ${toPrintable(path)}: it is not a regular file`,
        );
      }
      if (status.size > maxBytes) {
        throw new AtomicError(
          'EXPORTS_INVALID',
          `Cannot read ${toPrintable(path)}: ${status.size} bytes are more than ${maxBytes}`,
        );
      }
      return readFileSync(fd);
    } finally {
      closeSync(fd);
    }
  });
}

function* walkFolder(root: string, folder: string, prefix: string): Generator<WalkedEntry> {
  const listed = readFile(folder, () =>
    tolerateMissing(() => readdirSync(folder, { withFileTypes: true }), noPath),
  );
  for (const entry of listed ?? []) {
    const path = `${folder}/${entry.name}`;
    const status = readFile(path, () => lstatSync(path));
    const kind = status.isSymbolicLink() ? 'symlink' : status.isDirectory() ? 'directory' : 'file';
    const isFolder = kind === 'directory';
    yield {
      ...{ path: `${prefix}${entry.name}`, kind, mode: status.mode & PERMISSIONS },
      ...{ uid: status.uid, gid: status.gid, size: kind === 'file' ? status.size : 0 },
      target: kind === 'symlink' ? readlinkSync(path) : undefined,
      object: isFolder ? undefined : path,
      isEmpty: isFolder && readFile(path, () => readdirSync(path)).length === 0,
    };
    if (isFolder) yield* walkFolder(root, path, `${prefix}${entry.name}/`);
  }
}

function readFile<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof AtomicError) throw error;
    const code = isErrno(error, 'EACCES', 'EPERM', 'ELOOP');
    const failure = toFileError(error, `Cannot read ${toPrintable(path)}`);
    if (!code || !(failure instanceof AtomicError)) throw failure;
    throw new AtomicError('SOURCE_UNREADABLE', failure.message, { cause: error });
  }
}
