import { compareUtf8 } from '../compare-utf8.ts';
import { formatDirTree, parseDirTree, type TreeFile } from '../ostree-objects.ts';

/** Bounds the time that an archive takes whose entries go to and fro between directories. */
const MOST_UNPACKINGS = 8;

/**
 * The files of one directory while the archive of its layer is read: their names and the checksums of their objects.
 * Archives go from directory to directory. One that is left is packed, which takes a quarter of the memory.
 */
export class DirectoryFiles {
  #checksums: Map<string, string> | undefined = new Map();
  /** A dirtree object. */
  #packed: Buffer | undefined;
  #unpackings = 0;

  get(name: string): string | undefined {
    return this.#unpack().get(name);
  }

  set(name: string, checksum: string): void {
    this.#unpack().set(name, checksum);
  }

  /** Says that the next entries are probably of another directory. */
  pack(): void {
    if (this.#checksums === undefined || this.#checksums.size === 0) return;
    if (this.#unpackings === MOST_UNPACKINGS) return;
    // A copy, because what is formatted has room to spare.
    this.#packed = Buffer.from(formatDirTree({ files: this.list(), directories: [] }));
    this.#checksums = undefined;
  }

  /** Sorted by the bytes of the names. */
  list(): readonly TreeFile[] {
    if (this.#checksums === undefined) return this.#readPacked();
    const files = [...this.#checksums].map(([name, checksum]) => ({ name, checksum }));
    return files.sort((a, b) => compareUtf8(a.name, b.name));
  }

  #unpack(): Map<string, string> {
    if (this.#checksums === undefined) {
      this.#checksums = new Map(this.#readPacked().map(({ name, checksum }) => [name, checksum]));
      this.#packed = undefined;
      this.#unpackings += 1;
    }
    return this.#checksums;
  }

  #readPacked(): readonly TreeFile[] {
    return this.#packed === undefined ? [] : parseDirTree(this.#packed).files;
  }
}
