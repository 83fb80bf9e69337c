import { lstatSync, readlinkSync } from 'node:fs';

/** The result of following the symlinks of a path. */
type ResolvedPath =
  /** `path` has no symlinks. Elements that do not exist are kept as written. */
  | { readonly kind: 'directory' | 'file' | 'missing'; readonly path: string }
  /** A symlink of `/proc` with another target for every process, or a circle of symlinks. */
  | { readonly kind: 'unknown'; readonly link: string };

/** The limit of the kernel. */
const MAX_SYMLINKS = 40;
/** Entries of `/proc/PID` that are symlinks with a target in the view of that process. */
const PROCESS_LINK =
  /^\/proc\/(?:self|thread-self|\d+)(?:\/task\/\d+)?\/(?:cwd|root|exe|fd\/.*|map_files\/.*)$/;

/** Follows every symlink of a path of this host. The last elements need not exist. @param path absolute */
export function resolvePath(path: string): ResolvedPath {
  const pending = splitPath(path);
  let at = '/';
  let kind: 'directory' | 'file' | 'missing' = 'directory';
  let links = 0;
  for (let name = pending.shift(); name !== undefined; name = pending.shift()) {
    if (name === '..') {
      at = parentOf(at);
      kind = look(at).kind;
      continue;
    }
    const next = at === '/' ? `/${name}` : `${at}/${name}`;
    if (PROCESS_LINK.test(next)) return { kind: 'unknown', link: next };
    const found: PathKind = kind === 'directory' ? look(next) : { kind: 'missing', target: undefined };
    // Another process will use the path: `/proc/self` is another folder for it.
    if (found.target === undefined || next === '/proc/self' || next === '/proc/thread-self') {
      at = next;
      kind = found.target === undefined ? found.kind : 'directory';
      continue;
    }
    links += 1;
    if (links > MAX_SYMLINKS) return { kind: 'unknown', link: next };
    pending.unshift(...splitPath(found.target));
    if (found.target.startsWith('/')) at = '/';
  }
  return { kind, path: at };
}

interface PathKind {
  readonly kind: 'directory' | 'file' | 'missing';
  /** The target of a symlink. */
  readonly target: string | undefined;
}

function look(path: string): PathKind {
  const status = lstatSync(path, { throwIfNoEntry: false });
  if (status === undefined) return { kind: 'missing', target: undefined };
  if (status.isSymbolicLink()) return { kind: 'file', target: readlinkSync(path) };
  return { kind: status.isDirectory() ? 'directory' : 'file', target: undefined };
}

function splitPath(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}
