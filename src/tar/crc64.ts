/**
 * CRC-64/GO-ISO, the checksum that tar-split keeps of each file of an archive.
 *
 * The polynomial is x^64 + x^4 + x^3 + x + 1, so that to add eight bytes, which multiplies by x^64, takes three shifts:
 * x^64 = x^4 + x^3 + x + 1. Bits are reflected: the highest bit of the high word is the coefficient of x^0, and
 * multiplying by x shifts right. The at most four bits that are shifted out come back through `overflow`.
 */

const WORD_BYTES = 8;
/** The terms of x^64 in the highest bits of the high word: x^0, x^1, x^3, x^4. */
const TAPS = 0xd8000000;

const overflow = Int32Array.from({ length: 16 }, (_, low) => {
  let high = 0;
  for (let power = 0; power < 4; power++) {
    // Coefficient of x^(64 + power) in low * (x^4 + x^3 + x): bit i of `low` is x^(63 - i).
    const taps = [3 - power, 2 - power, 0 - power];
    const odd = taps.filter((bit) => bit >= 0 && ((low >>> bit) & 1) === 1).length % 2 === 1;
    if (odd) high ^= TAPS >>> power;
  }
  return high;
});

const byteTable = Array.from({ length: 256 }, (_, byte) => {
  let high = 0;
  let low = byte;
  for (let bit = 0; bit < 8; bit++) {
    const carry = low & 1;
    low = (low >>> 1) | (high << 31);
    high >>>= 1;
    if (carry === 1) high ^= TAPS;
  }
  return { high, low };
});

export class Crc64 {
  #high = -1;
  #low = -1;

  update(data: Buffer): void {
    const words = Math.floor(data.length / WORD_BYTES);
    this.#updateWords(data, words);
    for (let at = words * WORD_BYTES; at < data.length; at++) {
      const entry = byteTable[(this.#low ^ (data[at] ?? 0)) & 0xff];
      if (entry === undefined) throw new Error('a byte beyond 255');
      this.#low = ((this.#low >>> 8) | (this.#high << 24)) ^ entry.low;
      this.#high = (this.#high >>> 8) ^ entry.high;
    }
  }

  /** The checksum in big-endian order. */
  digest(): Buffer {
    const sum = Buffer.alloc(WORD_BYTES);
    sum.writeInt32BE(~this.#high, 0);
    sum.writeInt32BE(~this.#low, 4);
    return sum;
  }

  #updateWords(data: Buffer, words: number): void {
    const view = new DataView(data.buffer, data.byteOffset, data.length);
    let high = this.#high;
    let low = this.#low;
    for (let index = 0; index < words; index++) {
      low ^= view.getInt32(index * WORD_BYTES, true);
      high ^= view.getInt32(index * WORD_BYTES + 4, true);
      const nextLow =
        low ^ ((low >>> 1) | (high << 31)) ^ ((low >>> 3) | (high << 29)) ^ ((low >>> 4) | (high << 28));
      high = high ^ (high >>> 1) ^ (high >>> 3) ^ (high >>> 4) ^ (overflow[low & 15] ?? 0);
      low = nextLow;
    }
    this.#high = high;
    this.#low = low;
  }
}
