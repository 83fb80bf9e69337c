/**
 * Huffman codes of limited length, for DEFLATE (RFC 1951, 3.2.2). Several codes may be equally short; these functions
 * choose the codes of Go's library, see `go-deflate.ts`.
 */

/**
 * The code of each symbol, with its bits reversed as they are written, and the number of its bits: 0 for a symbol
 * without a code.
 */
export interface HuffmanCode {
  readonly bits: Uint16Array;
  readonly lengths: Uint8Array;
}

interface Leaf {
  readonly symbol: number;
  readonly frequency: number;
}

/** @param limit the longest code, in bits */
export function buildHuffmanCode(frequencies: Int32Array, limit: number): HuffmanCode {
  const leaves: Leaf[] = [];
  for (const [symbol, frequency] of frequencies.entries()) {
    if (frequency > 0) leaves.push({ symbol, frequency });
  }
  const lengths = new Uint8Array(frequencies.length);
  if (leaves.length <= 2) {
    for (const { symbol } of leaves) lengths[symbol] = 1;
  } else {
    leaves.sort((a, b) => a.frequency - b.frequency || a.symbol - b.symbol);
    for (const count of countLeaves(leaves, Math.min(limit, leaves.length - 1))) {
      for (const { symbol } of leaves.slice(0, count)) lengths[symbol] = (lengths[symbol] ?? 0) + 1;
    }
  }
  return { bits: assignBits(lengths), lengths };
}

/**
 * The package-merge algorithm. The items of a level are the leaves and the pairs of items of the level below; a pair
 * comes before a leaf of equal frequency. The highest level needs 2n - 2 items; each level below needs the items of the
 * pairs that the level above needs.
 *
 * @param leaves at least three, rarest first
 * @returns the number of leaves that each level needs: each level adds a bit to the codes of its leaves
 */
function countLeaves(leaves: readonly Leaf[], levels: number): number[] {
  const items: { frequency: number; isLeaf: boolean }[][] = [];
  for (let level = 0; level < levels; level++) {
    const below = items[level - 1] ?? [];
    const merged: { frequency: number; isLeaf: boolean }[] = [];
    let leaf = 0;
    for (let pair = 0; pair + 1 < below.length; pair += 2) {
      const frequency = (below[pair]?.frequency ?? 0) + (below[pair + 1]?.frequency ?? 0);
      for (let next = leaves[leaf]; next !== undefined && next.frequency < frequency; next = leaves[leaf]) {
        merged.push({ frequency: next.frequency, isLeaf: true });
        leaf += 1;
      }
      merged.push({ frequency, isLeaf: false });
    }
    for (const { frequency } of leaves.slice(leaf)) merged.push({ frequency, isLeaf: true });
    items.push(merged);
  }
  const counts: number[] = [];
  let needed = 2 * leaves.length - 2;
  for (const level of items.reverse()) {
    const used = level.slice(0, needed);
    const count = used.filter(({ isLeaf }) => isLeaf).length;
    counts.push(count);
    needed = 2 * (used.length - count);
  }
  return counts;
}

/** Codes of one length follow each other in the order of the symbols. */
function assignBits(lengths: Uint8Array): Uint16Array {
  const bits = new Uint16Array(lengths.length);
  let code = 0;
  for (let length = 1; length <= 15; length++) {
    code <<= 1;
    for (let symbol = 0; symbol < lengths.length; symbol++) {
      if (lengths[symbol] !== length) continue;
      bits[symbol] = reverseBits(code, length);
      code += 1;
    }
  }
  return bits;
}

function reverseBits(value: number, length: number): number {
  let reversed = 0;
  for (let bit = 0; bit < length; bit++) reversed |= ((value >>> bit) & 1) << (length - 1 - bit);
  return reversed;
}

/** The codes that need no table in the file (RFC 1951, 3.2.6). */
export const fixedLiterals: HuffmanCode = fromLengths(
  Uint8Array.from({ length: 288 }, (_, symbol) =>
    symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8,
  ),
);
export const fixedDistances: HuffmanCode = fromLengths(new Uint8Array(30).fill(5));

function fromLengths(lengths: Uint8Array): HuffmanCode {
  return { bits: assignBits(lengths), lengths };
}
