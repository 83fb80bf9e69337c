import { lstatSync, readlinkSync } from 'node:fs';

/** Where a path leads. */
type ResolvedPath =
  /** `path` is without symlinks; what of it does not exist is taken as written. */
  | { readonly kind: 'directory' | 'file' | 'missing'; readonly path: string }
  /** A symlink of `/proc` that means something else to every process, or a circle of symlinks. */
  | { readonly kind: 'unknown'; readonly link: string };

/** As many as the kernel follows. */
const MAX_SYMLINKS = 40;
/** Entries of `/proc/PID` that are symlinks to wherever the process is. */
const PROCESS_LINK =
  /^\/proc\/(?:self|thread-self|\d+)(?:\/task\/\d+)?\/(?:cwd|root|exe|fd\/.*|map_files\/.*)$/;

/** Follows every symlink of a path of this host, also where its last parts do not exist yet. @param path absolute */
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
    const found: Found = kind === 'directory' ? look(next) : { kind: 'missing', target: undefined };
    // The process that looks is not the one that will.
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

interface Found {
  readonly kind: 'directory' | 'file' | 'missing';
  /** Of a symlink. */
  readonly target: string | undefined;
}

function look(path: string): Found {
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
