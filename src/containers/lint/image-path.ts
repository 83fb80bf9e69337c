/** Follows a path of a container through the symlinks of its image, as the kernel does with the image as its root. */
import type { ImageEntry } from '../../image/image.ts';

/** What the rules may ask about the files of an image. */
export interface ImageFiles {
  /** @param path absolute, simplified; its parents are folders */
  readonly look: (path: string) => ImageEntry | undefined;
  /** Reads the beginning of a file. @param path as for `look`; a file */
  readonly readProgram: (path: string) => ProgramFile | undefined;
}

interface ProgramFile {
  readonly isExecutable: boolean;
  /** The first bytes, at least a page unless the file is shorter. */
  readonly start: Uint8Array;
}

/** `covered`: a mount covers the path, so that the image does not decide what is there. */
type Found =
  | { readonly kind: 'file' | 'directory'; readonly path: string }
  | { readonly kind: 'missing' | 'covered' };

/** As many as the kernel follows. */
const maxSymlinks = 40;

/**
 * @param path absolute
 * @param covered the destinations of mounts that hide the files of the image
 */
export function findInImage(look: ImageFiles['look'], covered: ReadonlySet<string>, path: string): Found {
  const pending = split(path);
  let at: string[] = [];
  let links = 0;
  for (let name = pending.shift(); name !== undefined; name = pending.shift()) {
    if (name === '..') {
      at.pop();
      continue;
    }
    const next = `/${[...at, name].join('/')}`;
    if (covered.has(next)) return { kind: 'covered' };
    const entry = look(next);
    if (entry === undefined || (entry.kind === 'file' && pending.length > 0)) return { kind: 'missing' };
    if (entry.kind !== 'symlink') {
      at.push(name);
      if (pending.length === 0) return { kind: entry.kind, path: next };
      continue;
    }
    links += 1;
    if (links > maxSymlinks) return { kind: 'missing' };
    if (entry.target.startsWith('/')) at = [];
    pending.unshift(...split(entry.target));
  }
  return { kind: 'directory', path: `/${at.join('/')}` };
}

function split(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}
