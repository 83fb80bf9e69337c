/** The bytes of a serialised value while it grows: nothing is copied for the containers around it, nor a text in pieces. */

const FIRST_BYTES = 128;
const NUL = Buffer.alloc(1);

/**
 * A long text in pieces of UTF-8, without NUL, that need not be in memory. It can be gone through repeatedly. A piece is valid
 * until the next one is taken.
 */
export interface TextPieces extends Iterable<Buffer> {
  /** Bytes of all. */
  readonly length: number;
}

export class VariantWriter {
  /** What is complete: the rest begins at `#restStart` and is in `#data`. */
  readonly #complete: Iterable<Buffer>[] = [];
  #restStart = 0;
  #data = Buffer.allocUnsafe(FIRST_BYTES);
  /** Bytes so far. */
  length = 0;

  bytes(value: Buffer): void {
    const at = this.#extend(value.length);
    value.copy(this.#data, at);
  }

  /** @param digits hexadecimal, two for a byte */
  hex(digits: string): void {
    const bytes = digits.length / 2;
    const at = this.#extend(bytes);
    if (this.#data.write(digits, at, 'hex') !== bytes) throw new Error(`not hexadecimal: ${digits}`);
  }

  /** Text in UTF-8 and a NUL. */
  text(value: string | TextPieces): void {
    if (typeof value !== 'string') {
      this.#pieces(value);
      return;
    }
    const length = Buffer.byteLength(value);
    const at = this.#extend(length + 1);
    this.#data.write(value, at, length, 'utf8');
    this.#data[at + length] = 0;
  }

  #pieces(pieces: TextPieces): void {
    this.#complete.push([this.#takeRest()], pieces);
    this.#data = Buffer.allocUnsafe(FIRST_BYTES);
    this.length += pieces.length;
    this.#restStart = this.length;
    this.bytes(NUL);
  }

  bigEndianUint32(value: number): void {
    const at = this.#extend(4);
    this.#data.writeUInt32BE(value, at);
  }

  bigEndianUint64(value: bigint): void {
    const at = this.#extend(8);
    this.#data.writeBigUInt64BE(value, at);
  }

  /** Zeros up to a multiple of the alignment, a power of two. Containers begin at one of their own alignment. */
  pad(alignment: number): void {
    const bytes = -this.length & (alignment - 1);
    if (bytes === 0) return;
    const at = this.#extend(bytes);
    this.#data.fill(0, at, at + bytes);
  }

  /**
   * The offsets that end a container, in the smallest width that can address the whole.
   *
   * @param start of the container
   * @param ends offsets from there
   */
  offsets(start: number, ends: readonly number[]): void {
    const body = this.length - start;
    const width = [1, 2, 4].find((size) => body + ends.length * size < 2 ** (8 * size)) ?? 8;
    let at = this.#extend(ends.length * width);
    for (const end of ends) {
      if (width === 8) this.#data.writeBigUInt64LE(BigInt(end), at);
      else this.#data.writeUIntLE(end, at, width);
      at += width;
    }
  }

  /** The value. The writer must not be used any more. */
  finish(): Buffer {
    if (this.#complete.length > 0) throw new Error('a value with texts in pieces');
    return this.#takeRest();
  }

  /** The value in pieces like those of its texts, see `TextPieces`. The writer must not be used any more. */
  finishPieces(): Iterable<Buffer> {
    const parts = [...this.#complete, [this.#takeRest()]];
    return {
      *[Symbol.iterator]() {
        for (const part of parts) yield* part;
      },
    };
  }

  #takeRest(): Buffer {
    return this.#data.subarray(0, this.length - this.#restStart);
  }

  /** Makes room; returns where it begins in `#data`. */
  #extend(bytes: number): number {
    const at = this.length - this.#restStart;
    this.length += bytes;
    if (at + bytes > this.#data.length) {
      const grown = Buffer.allocUnsafe(2 * (at + bytes));
      this.#data.copy(grown, 0, 0, at);
      this.#data = grown;
    }
    return at;
  }
}
