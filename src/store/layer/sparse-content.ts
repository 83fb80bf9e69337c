/** Writes the content of a sparse file with zeros between its areas. The object is a file without holes. */
import type { Checksum } from '../../image/checksum.ts';
import type { SparseMap } from '../../tar/sparse-map.ts';
import type { FileWriter } from './file-writer.ts';

/** Takes the content of a file in the order of the archive. */
export type FileContent = Pick<FileWriter, 'write' | 'finish' | 'abandon'>;

const zeros = Buffer.alloc(1024 * 1024);

export function withHoles(writer: FileWriter, sparse: SparseMap | undefined): FileContent {
  return sparse === undefined ? writer : new SparseContent(writer, sparse);
}

class SparseContent implements FileContent {
  readonly #writer: FileWriter;
  readonly #map: SparseMap;
  /** Position in the file in bytes, and index of the current or next area. */
  #position = 0;
  #area = 0;

  constructor(writer: FileWriter, map: SparseMap) {
    this.#writer = writer;
    this.#map = map;
  }

  write(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      const [offset, length] = this.#map.areas[this.#area] ?? [this.#map.size, 0];
      this.#fill(offset);
      const part = bytes.subarray(at, at + offset + length - this.#position);
      if (part.length > 0) this.#writer.write(part);
      this.#position += part.length;
      at += part.length;
      if (this.#position < offset + length) return;
      this.#area += 1;
      if (this.#area > this.#map.areas.length) throw new Error('more content than the map of the file has');
    }
  }

  finish(): Checksum {
    this.#fill(this.#map.size);
    return this.#writer.finish();
  }

  abandon(): void {
    this.#writer.abandon();
  }

  #fill(end: number): void {
    while (this.#position < end) {
      const part = zeros.subarray(0, end - this.#position);
      this.#writer.write(part);
      this.#position += part.length;
    }
  }
}
