/** Writes the blocks of a DEFLATE stream (RFC 1951) with the choices of Go's library; see `go-deflate.ts`. */
import { buildHuffmanCode, fixedDistances, fixedLiterals, type HuffmanCode } from './huffman-code.ts';

const LITERALS = 286;
const DISTANCES = 30;
const END_OF_BLOCK = 256;
const FIRST_LENGTH = 257;
const MAX_CODE_BITS = 15;
const MAX_TABLE_CODE_BITS = 7;
const MAX_STORED_BYTES = 65535;
const OUTPUT_BYTES = 128 * 1024;
/** The order in which the lengths of the code length code are written (RFC 1951, 3.2.7). */
const TABLE_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
const REPEAT = 16;
const FEW_ZEROS = 17;
const MANY_ZEROS = 18;

const lengthExtra = Uint8Array.from({ length: 29 }, (_, code) =>
  code < 8 || code === 28 ? 0 : (code >> 2) - 1,
);
const distanceExtra = Uint8Array.from({ length: DISTANCES }, (_, code) => (code < 4 ? 0 : (code >> 1) - 1));
const lengthBase = sumUp(lengthExtra);
const distanceBase = sumUp(distanceExtra);
// The longest length has a separate code, outside the sequence.
lengthBase[28] = 255;
const lengthCodes = invert(lengthBase, 256);
const distanceCodes = invert(distanceBase, 32768);

/** A literal is its byte; a match is `MATCH | (length - 3) << 15 | (distance - 1)`. */
export const MATCH = 0x4000_0000;

export class DeflateBlocks {
  #output = Buffer.allocUnsafe(OUTPUT_BYTES);
  #end = 0;
  #bits = 0;
  #bitCount = 0;
  readonly #full: Buffer[] = [];
  readonly #literals = new Int32Array(LITERALS);
  readonly #distances = new Int32Array(DISTANCES);

  /** @returns the complete bytes */
  take(): Buffer[] {
    this.#full.push(this.#output.subarray(0, this.#end));
    this.#output = Buffer.allocUnsafe(OUTPUT_BYTES);
    this.#end = 0;
    return this.#full.splice(0);
  }

  /**
   * Writes a block in the shortest of the three forms.
   *
   * @param content bytes that the tokens encode; `undefined` when the window has moved past them, so that the block
   *   cannot be stored plain
   */
  write(tokens: Uint32Array, content: Buffer | undefined): void {
    this.#count(tokens);
    const literals = buildHuffmanCode(this.#literals, MAX_CODE_BITS);
    const distances = buildHuffmanCode(this.#distances, MAX_CODE_BITS);
    const table = new CodeTable(literals.lengths, distances.lengths);
    const extra = this.#measureExtra();
    const fixedSize = 3 + extra + this.#measure(fixedLiterals, fixedDistances);
    const ownSize = 3 + extra + table.size + this.#measure(literals, distances);
    const storedSize = content === undefined ? Number.POSITIVE_INFINITY : (content.length + 5) * 8;
    if (
      content !== undefined &&
      content.length <= MAX_STORED_BYTES &&
      storedSize < Math.min(ownSize, fixedSize)
    ) {
      this.#writeStored(content, 0);
    } else if (ownSize < fixedSize) {
      this.#writeBits(0b100, 3);
      table.write((bits, count) => this.#writeBits(bits, count));
      this.#writeTokens(tokens, literals, distances);
    } else {
      this.#writeBits(0b010, 3);
      this.#writeTokens(tokens, fixedLiterals, fixedDistances);
    }
  }

  /** Ends the stream with an empty block. */
  finish(): void {
    this.#writeStored(Buffer.alloc(0), 1);
  }

  #count(tokens: Uint32Array): void {
    this.#literals.fill(0);
    this.#distances.fill(0);
    this.#literals[END_OF_BLOCK] = 1;
    for (const token of tokens) {
      if (token < MATCH) {
        increment(this.#literals, token);
      } else {
        increment(this.#literals, FIRST_LENGTH + (lengthCodes[(token >>> 15) & 0xff] ?? 0));
        increment(this.#distances, distanceCodes[token & 0x7fff] ?? 0);
      }
    }
    // A table needs at least one distance.
    if (this.#distances.every((frequency) => frequency === 0)) this.#distances[0] = 1;
  }

  #measureExtra(): number {
    const lengths = lengthExtra.reduce(
      (sum, bits, code) => sum + bits * (this.#literals[FIRST_LENGTH + code] ?? 0),
      0,
    );
    return distanceExtra.reduce((sum, bits, code) => sum + bits * (this.#distances[code] ?? 0), lengths);
  }

  #measure(literals: HuffmanCode, distances: HuffmanCode): number {
    return measure(this.#literals, literals) + measure(this.#distances, distances);
  }

  #writeTokens(tokens: Uint32Array, literals: HuffmanCode, distances: HuffmanCode): void {
    for (const token of tokens) {
      if (token < MATCH) {
        this.#writeCode(literals, token);
        continue;
      }
      const length = (token >>> 15) & 0xff;
      const lengthCode = lengthCodes[length] ?? 0;
      this.#writeCode(literals, FIRST_LENGTH + lengthCode);
      this.#writeBits(length - (lengthBase[lengthCode] ?? 0), lengthExtra[lengthCode] ?? 0);
      const distance = token & 0x7fff;
      const distanceCode = distanceCodes[distance] ?? 0;
      this.#writeCode(distances, distanceCode);
      this.#writeBits(distance - (distanceBase[distanceCode] ?? 0), distanceExtra[distanceCode] ?? 0);
    }
    this.#writeCode(literals, END_OF_BLOCK);
  }

  #writeStored(content: Buffer, isLast: number): void {
    this.#writeBits(isLast, 3);
    if (this.#bitCount > 0) this.#writeBits(0, 8 - (this.#bitCount % 8 || 8));
    this.#writeBits(content.length, 16);
    this.#writeBits(~content.length & 0xffff, 16);
    for (const byte of content) this.#writeBits(byte, 8);
  }

  #writeCode(code: HuffmanCode, symbol: number): void {
    this.#writeBits(code.bits[symbol] ?? 0, code.lengths[symbol] ?? 0);
  }

  /** @param count at most 16 */
  #writeBits(bits: number, count: number): void {
    this.#bits |= bits << this.#bitCount;
    this.#bitCount += count;
    while (this.#bitCount >= 8) {
      if (this.#end === OUTPUT_BYTES) this.#turnOver();
      this.#output[this.#end] = this.#bits;
      this.#end += 1;
      this.#bits >>>= 8;
      this.#bitCount -= 8;
    }
  }

  #turnOver(): void {
    this.#full.push(this.#output);
    this.#output = Buffer.allocUnsafe(OUTPUT_BYTES);
    this.#end = 0;
  }
}

/** The lengths of both codes as a block has them, run-length encoded and then encoded with a third code. */
class CodeTable {
  /** Length of the table in bits. */
  readonly size: number;
  readonly #literals: number;
  readonly #distances: number;
  /** Runs: a symbol, and its count minus the least count. */
  readonly #runs: readonly (readonly [symbol: number, extra: number])[];
  readonly #code: HuffmanCode;
  readonly #codeCount: number;

  constructor(literals: Uint8Array, distances: Uint8Array) {
    this.#literals = literals.findLastIndex((length) => length > 0) + 1;
    this.#distances = distances.findLastIndex((length) => length > 0) + 1;
    this.#runs = encodeRuns([
      ...literals.subarray(0, this.#literals),
      ...distances.subarray(0, this.#distances),
    ]);
    const frequencies = new Int32Array(TABLE_ORDER.length);
    for (const [symbol] of this.#runs) increment(frequencies, symbol);
    this.#code = buildHuffmanCode(frequencies, MAX_TABLE_CODE_BITS);
    this.#codeCount = Math.max(4, TABLE_ORDER.findLastIndex((symbol) => frequencies[symbol] !== 0) + 1);
    this.size =
      5 +
      5 +
      4 +
      3 * this.#codeCount +
      measure(frequencies, this.#code) +
      this.#runs.reduce((sum, [symbol]) => sum + runBits(symbol), 0);
  }

  write(writeBits: (bits: number, count: number) => void): void {
    writeBits(this.#literals - 257, 5);
    writeBits(this.#distances - 1, 5);
    writeBits(this.#codeCount - 4, 4);
    for (const symbol of TABLE_ORDER.slice(0, this.#codeCount)) writeBits(this.#code.lengths[symbol] ?? 0, 3);
    for (const [symbol, extra] of this.#runs) {
      writeBits(this.#code.bits[symbol] ?? 0, this.#code.lengths[symbol] ?? 0);
      writeBits(extra, runBits(symbol));
    }
  }
}

function encodeRuns(lengths: readonly number[]): (readonly [number, number])[] {
  const runs: (readonly [number, number])[] = [];
  for (let at = 0; at < lengths.length; ) {
    const length = lengths[at] ?? 0;
    let count = 1;
    while (lengths[at + count] === length) count += 1;
    at += count;
    if (length === 0) {
      for (; count >= 11; count -= Math.min(138, count)) runs.push([MANY_ZEROS, Math.min(138, count) - 11]);
      if (count >= 3) {
        runs.push([FEW_ZEROS, count - 3]);
        count = 0;
      }
    } else {
      runs.push([length, 0]);
      for (count -= 1; count >= 3; count -= Math.min(6, count)) runs.push([REPEAT, Math.min(6, count) - 3]);
    }
    for (; count > 0; count--) runs.push([length, 0]);
  }
  return runs;
}

function runBits(symbol: number): number {
  return symbol === REPEAT ? 2 : symbol === FEW_ZEROS ? 3 : symbol === MANY_ZEROS ? 7 : 0;
}

function measure(frequencies: Int32Array, code: HuffmanCode): number {
  return frequencies.reduce((sum, frequency, symbol) => sum + frequency * (code.lengths[symbol] ?? 0), 0);
}

function increment(frequencies: Int32Array, symbol: number): void {
  frequencies[symbol] = (frequencies[symbol] ?? 0) + 1;
}

/** Computes the first value of each code from the number of extra bits of each code. */
function sumUp(extra: Uint8Array): Uint16Array {
  let base = 0;
  return Uint16Array.from(extra, (bits) => {
    const first = base;
    base += 1 << bits;
    return first;
  });
}

/** Finds the code of each value. */
function invert(base: Uint16Array, values: number): Uint8Array {
  const codes = new Uint8Array(values);
  let code = 0;
  for (let value = 0; value < values; value++) {
    while ((base[code + 1] ?? Number.POSITIVE_INFINITY) <= value) code += 1;
    codes[value] = code;
  }
  return codes;
}
