/** The bytes of a serialised value while it grows: one buffer, so that nothing is copied for the containers around it. */

const FIRST_BYTES = 128;

export class VariantWriter {
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
  text(value: string): void {
    const length = Buffer.byteLength(value);
    const at = this.#extend(length + 1);
    this.#data.write(value, at, length, 'utf8');
    this.#data[at + length] = 0;
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

  /** The writer must not be used any more. */
  finish(): Buffer {
    return this.#data.subarray(0, this.length);
  }

  /** Makes room; returns where it begins. */
  #extend(bytes: number): number {
    const at = this.length;
    this.length += bytes;
    if (this.length > this.#data.length) {
      const grown = Buffer.allocUnsafe(2 * this.length);
      this.#data.copy(grown, 0, 0, at);
      this.#data = grown;
    }
    return at;
  }
}
