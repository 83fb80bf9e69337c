/** Random images of several layers, each layer as a builder would write it: the changes since the layer below. */
import fc from 'fast-check';
import type { TarEntry } from '../tar-writer.ts';

/** One step of a build; paths are indexes into what is there, so that steps often meet. */
type Step =
  | {
      readonly kind: 'file';
      readonly at: number;
      readonly name: string;
      readonly content: string;
      readonly mode: number;
      readonly owner: number;
    }
  | {
      readonly kind: 'directory';
      readonly at: number;
      readonly name: string;
      readonly mode: number;
      readonly owner: number;
    }
  | { readonly kind: 'symlink'; readonly at: number; readonly name: string; readonly target: string }
  | { readonly kind: 'hardlink'; readonly at: number; readonly name: string; readonly target: number }
  | { readonly kind: 'attribute'; readonly of: number; readonly value: string }
  | { readonly kind: 'remove'; readonly of: number }
  | { readonly kind: 'empty'; readonly of: number };

const index = fc.nat(1000);
const name = fc.constantFrom('a', 'b', 'c', 'etc', 'ü', 'with space', `long-${'x'.repeat(110)}`);
const content = fc.constantFrom('', '1', '2', 'same content', 'x'.repeat(2000));
const owner = fc.constantFrom(0, 0, 1, 65534);
const fileMode = fc.constantFrom(0o644, 0o600, 0o755, 0o4755, 0o2711, 0);
const directoryMode = fc.constantFrom(0o755, 0o700, 0o1777, 0o2770);
const target = fc.constantFrom('a', '../b', '/etc', '/', '..', 'nowhere');

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('file'), at: index, name, content, mode: fileMode, owner }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('directory'), at: index, name, mode: directoryMode, owner }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('symlink'), at: index, name, target }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('hardlink'), at: index, name, target: index }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('attribute'), of: index, value: content }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('remove'), of: index }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('empty'), of: index }) },
);

/** Layers of an image, base first. */
export const randomLayers: fc.Arbitrary<TarEntry[][]> = fc
  .array(fc.array(step, { minLength: 3, maxLength: 14 }), { minLength: 2, maxLength: 4 })
  .map((builds) => {
    const image = new ImageBuild();
    return builds.map((steps) => image.build(steps));
  });

/** The root filesystem so far, as the entries that would make it; parents come before what is in them. */
class ImageBuild {
  #root = new Map<string, TarEntry>([['', { path: './', type: 'directory', mode: 0o755 }]]);

  build(steps: readonly Step[]): TarEntry[] {
    const layer = new LayerBuild(this.#root);
    for (const one of steps) layer.apply(one);
    this.#root = layer.root;
    return layer.entries();
  }
}

class LayerBuild {
  readonly root: Map<string, TarEntry>;
  readonly #below: ReadonlyMap<string, TarEntry>;
  /** Paths that the layer itself writes; the same layer cannot remove them again. */
  readonly #written = new Map<string, TarEntry>();
  readonly #whiteouts = new Set<string>();
  readonly #opaque = new Set<string>();
  /** Files that a hard link of the layer points at. */
  readonly #linked = new Set<string>();

  constructor(below: ReadonlyMap<string, TarEntry>) {
    this.root = new Map(below);
    this.#below = below;
  }

  apply(one: Step): void {
    switch (one.kind) {
      case 'file': {
        const { content, mode, owner } = one;
        this.#add(one, { type: 'file', content, mode, uid: owner, gid: owner });
        return;
      }
      case 'directory': {
        const { mode, owner } = one;
        this.#add(one, { type: 'directory', mode, uid: owner, gid: owner });
        return;
      }
      case 'symlink':
        this.#add(one, { type: 'symlink', mode: 0o777, linkName: one.target });
        return;
      case 'hardlink': {
        const files = [...this.#written].filter(([, { type }]) => type === 'file');
        const [path, entry] = files[one.target % Math.max(files.length, 1)] ?? [];
        if (path === undefined) return;
        this.#linked.add(path);
        this.#add(one, { ...entry, type: 'hardlink', content: '', linkName: path });
        return;
      }
      case 'attribute': {
        const [path, entry] = this.#pick([...this.root], one.of);
        if (path === '' || (entry.type !== 'file' && entry.type !== 'directory')) return;
        // One inode with two descriptions would depend on the order of the entries.
        if (this.#linked.has(path) || this.#written.get(path)?.type === 'hardlink') return;
        this.#write(path, { ...entry, xattrs: { 'user.test': `=${one.value}` } });
        return;
      }
      case 'remove': {
        const [path] = this.#pick([...this.#below], one.of);
        if (path === '' || !this.root.has(path) || this.#touches(path)) return;
        this.#drop(path);
        this.#writeParents(path);
        this.#whiteouts.add(path);
        return;
      }
      case 'empty': {
        const directories = [...this.#below].filter(([, { type }]) => type === 'directory');
        const [path, entry] = this.#pick(directories, one.of);
        if (path === '' || !this.root.has(path) || this.#touches(path)) return;
        this.#drop(path);
        this.#write(path, entry);
        this.#opaque.add(path);
        return;
      }
    }
  }

  entries(): TarEntry[] {
    const whiteouts = [...this.#whiteouts].map((path) => {
      const slash = path.lastIndexOf('/') + 1;
      return { path: `${path.slice(0, slash)}.wh.${path.slice(slash)}` };
    });
    const opaque = [...this.#opaque].map((path) => ({ path: `${path}/.wh..wh..opq` }));
    const written = [...this.#written].sort(([a], [b]) => depth(a) - depth(b));
    const links = written.filter(([, { type }]) => type === 'hardlink');
    const others = written.filter(([, { type }]) => type !== 'hardlink');
    return [...others, ...links].map(([, entry]) => entry).concat(opaque, whiteouts);
  }

  #add({ at, name: last }: { at: number; name: string }, entry: Omit<TarEntry, 'path'>): void {
    const directories = [...this.root].filter(([, { type }]) => type === 'directory');
    const [parent] = this.#pick(directories, at);
    const path = parent === '' ? last : `${parent}/${last}`;
    const old = this.root.get(path);
    const staysDirectory = old?.type === 'directory' && entry.type === 'directory';
    if (this.#whiteouts.has(path) || this.#written.has(path) || (old !== undefined && this.#touches(path)))
      return;
    if (!staysDirectory) this.#drop(path);
    this.#write(path, { ...entry, path: entry.type === 'directory' ? `${path}/` : path });
  }

  #write(path: string, entry: TarEntry): void {
    this.#writeParents(path);
    this.#written.set(path, entry);
    this.root.set(path, entry.type === 'hardlink' ? { ...this.root.get(entry.linkName ?? ''), path } : entry);
  }

  /** Every builder writes the directories above a change, too; where one does not, podman and we differ. */
  #writeParents(path: string): void {
    const parts = path.split('/');
    for (let count = 0; count < parts.length; count++) {
      const parent = parts.slice(0, count).join('/');
      const existing = this.root.get(parent);
      if (existing !== undefined && !this.#written.has(parent)) this.#written.set(parent, existing);
    }
  }

  #drop(path: string): void {
    for (const known of [...this.root.keys()]) {
      if (known === path || known.startsWith(`${path}/`)) this.root.delete(known);
    }
  }

  /** Whether the layer wrote the path or something below it. */
  #touches(path: string): boolean {
    return [...this.#written.keys(), ...this.#whiteouts].some(
      (written) => written === path || written.startsWith(`${path}/`),
    );
  }

  #pick<T>(list: readonly T[], at: number): T {
    const found = list[at % list.length];
    if (found === undefined) throw new Error('nothing to pick from');
    return found;
  }
}

function depth(path: string): number {
  return path === '' ? 0 : path.split('/').length;
}
