/**
 * Finds the path of each entry of a layer. A name leads through the symlinks of earlier entries of the same layer:
 * after `lib -> usr/lib`, the entry `lib/x` is `usr/lib/x`. Symlinks are resolved as data and below the root, which
 * `..` and absolute targets cannot leave. Symlinks of lower layers have no effect: each layer is unpacked by itself,
 * and its folder replaces any file of that name in a lower layer, as in an overlay.
 */
import { findParentPath, WHITEOUT_PREFIX } from '../ostree/layer-names.ts';
import { Refusal } from './layer-rejected.ts';

/** The kernel's limits for a path, and for the symlinks in one. */
const MAX_PATH_BYTES = 4095;
const MAX_SYMLINKS = 40;
/** Programs that unpack, compare or remove a tree keep a folder open for each level; 1,024 open files is a common limit. */
const MAX_FOLDERS = 1000;
/** Limits far above any real layer. They bound the memory and the time that a hostile layer takes. */
const MAX_NAMES_BYTES = 256 * 1024 * 1024;
const MAX_RESOLVED_BYTES = 1024 * 1024 * 1024;

/** The meaning of an entry for later entries. `skipped`: the store has no file for it. */
export type PathUse =
  | { readonly kind: 'file' | 'directory' | 'skipped' }
  | { readonly kind: 'symlink'; readonly target: string };

type Known = 'named directory' | 'implied directory' | 'skipped' | { readonly target: string };

export class LayerPaths {
  /** Entries by resolved path, the root as `''`. The map has all parents of every directory in it. */
  readonly #known = new Map<string, Known>();
  #namesBytes = 0;
  #resolvedBytes = 0;
  /** The folder that was resolved last: entries of one folder usually follow each other. */
  #last: { readonly written: string; readonly resolved: string } | undefined;

  /**
   * @param written path without leading slash, without `.` and `..`
   * @returns the path with all symlinks but the last element resolved
   * @throws Refusal
   */
  resolve(written: string): string {
    const parent = findParentPath(written);
    if (parent === '' || isDirectory(this.#known.get(parent))) return checkDepth(written);
    if (this.#last?.written !== parent) {
      this.#last = { written: parent, resolved: this.#resolveDirectory(parent) };
    }
    const { resolved } = this.#last;
    if (resolved === parent) return checkDepth(written);
    const name = written.slice(parent.length + 1);
    return checkDepth(checkLength(resolved === '' ? name : `${resolved}/${name}`));
  }

  /** @returns the meaning of an earlier entry at a resolved path; `undefined` when it has none for later entries */
  find(path: string): PathUse | undefined {
    const known = this.#known.get(path);
    if (known === undefined) return undefined;
    if (typeof known === 'object') return { kind: 'symlink', target: known.target };
    return { kind: known === 'skipped' ? 'skipped' : 'directory' };
  }

  /**
   * Records an entry and the directories above it.
   *
   * @param path resolved
   * @param shown kind of the entry, for messages
   * @throws Refusal
   */
  add(path: string, use: PathUse, shown: string): void {
    if (use.kind === 'directory') {
      this.#set(path, 'named directory');
    } else {
      if (isDirectory(this.#known.get(path))) throw new Refusal(`a ${shown} in the place of a directory`);
      this.#countBytes(path.length - path.lastIndexOf('/'));
      // The name alone makes a whiteout, with any type of entry.
      if (use.kind === 'file' || isWhiteout(path)) this.#forget(path);
      else this.#set(path, use.kind === 'symlink' ? { target: use.target } : 'skipped');
    }
    for (let below = path; below !== ''; ) {
      const parent = findParentPath(below);
      const known = this.#known.get(parent);
      if (isDirectory(known)) break;
      if (known !== undefined) throw new Refusal('an entry below a device node or FIFO');
      this.#set(parent, 'implied directory');
      below = parent;
    }
  }

  impliedDirectories(): string[] {
    return [...this.#known].flatMap(([path, known]) => (known === 'implied directory' ? [path] : []));
  }

  #resolveDirectory(path: string): string {
    const pending = path.split('/').reverse();
    let resolved = '';
    let symlinks = 0;
    for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
      if (name === '' || name === '.') continue;
      if (name === '..') {
        resolved = findParentPath(resolved);
        continue;
      }
      const next = resolved === '' ? name : `${resolved}/${name}`;
      this.#countWork(next.length);
      const known = this.#known.get(next);
      if (typeof known !== 'object') {
        resolved = next;
        continue;
      }
      symlinks += 1;
      if (symlinks > MAX_SYMLINKS) throw new Refusal(`more than ${MAX_SYMLINKS} symlinks in a path`);
      if (known.target.startsWith('/')) resolved = '';
      pending.push(...known.target.split('/').reverse());
    }
    return resolved;
  }

  #set(path: string, known: Known): void {
    const earlier = this.#known.get(path);
    if (earlier === undefined) this.#countBytes(path.length);
    if (typeof known === 'object') this.#countBytes(known.target.length);
    this.#known.set(path, known);
    if (!isDirectory(earlier)) this.#last = undefined;
  }

  #forget(path: string): void {
    if (this.#known.delete(path)) this.#last = undefined;
  }

  #countWork(bytes: number): void {
    this.#resolvedBytes += bytes;
    if (this.#resolvedBytes > MAX_RESOLVED_BYTES) throw new Refusal('too many long paths through symlinks');
  }

  #countBytes(bytes: number): void {
    this.#namesBytes += bytes;
    if (this.#namesBytes > MAX_NAMES_BYTES) throw new Refusal(`more than ${MAX_NAMES_BYTES} bytes of names`);
  }
}

function isDirectory(known: Known | undefined): boolean {
  return known === 'named directory' || known === 'implied directory';
}

function isWhiteout(path: string): boolean {
  return path.startsWith(WHITEOUT_PREFIX, path.lastIndexOf('/') + 1);
}

function checkLength(path: string): string {
  const length = Buffer.byteLength(path);
  if (length > MAX_PATH_BYTES) throw new Refusal(`a path of ${length} bytes after its symlinks are resolved`);
  return path;
}

function checkDepth(path: string): string {
  // A path that short cannot have so many folders.
  if (path.length <= 2 * MAX_FOLDERS) return path;
  if (path.split('/').length - 1 > MAX_FOLDERS)
    throw new Refusal(`a path of more than ${MAX_FOLDERS} folders`);
  return path;
}
