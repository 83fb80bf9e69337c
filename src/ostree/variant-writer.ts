/** Collects the bytes of a serialised value. Neither containers nor texts in pieces are copied. */

const FIRST_BYTES = 128;
const NUL = Buffer.alloc(1);

/**
 * A long text in pieces of UTF-8, without NUL, that need not be in memory. It can be iterated repeatedly. A piece is valid
 * until the next one is requested.
 */
export interface TextPieces extends Iterable<Buffer> {
  /** Length of all pieces together, in bytes. */
  readonly length: number;
}

export class VariantWriter {
  /** Complete parts of the value. The rest is in `#data`, from `#restStart` on. */
  readonly #complete: Iterable<Buffer>[] = [];
  #restStart = 0;
  #data = Buffer.allocUnsafe(FIRST_BYTES);
  /** Number of bytes up to now. */
  length = 0;

  bytes(value: Buffer): void {
    const at = this.#extend(value.length);
    value.copy(this.#data, at);
  }

  /** @param digits hexadecimal digits, two for a byte */
  hex(digits: string): void {
    const bytes = digits.length / 2;
    const at = this.#extend(bytes);
    if (this.#data.write(digits, at, 'hex') !== bytes) throw new Error(`not hexadecimal: ${digits}`);
  }

  /** Writes a text in UTF-8 and a NUL. */
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

  /** Writes zeros up to a multiple of the alignment, a power of two. A container begins at a multiple of its alignment. */
  pad(alignment: number): void {
    const bytes = -this.length & (alignment - 1);
    if (bytes === 0) return;
    const at = this.#extend(bytes);
    this.#data.fill(0, at, at + bytes);
  }

  /**
   * Writes the offsets that end a container, in the smallest width that can address all of it.
   *
   * @param start position of the container in the value
   * @param ends offsets relative to `start`
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

  /** @returns the value. The writer must not be used after that */
  finish(): Buffer {
    if (this.#complete.length > 0) throw new Error('a value with texts in pieces');
    return this.#takeRest();
  }

  /** @returns the value in pieces, which are valid as those of `TextPieces`. The writer must not be used after that */
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

  /** Makes room for bytes. @returns the position of the room in `#data` */
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
