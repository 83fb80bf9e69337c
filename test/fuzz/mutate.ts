/**
 * Makes inputs for parsers from inputs that are known. The seed determines everything, so that a failure can be
 * repeated.
 */

/** A number from 0 up to, and without, `limit`. */
export type Random = (limit: number) => number;

/** xorshift32: enough for choosing, and the same on every machine. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0 || 1;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state % limit;
  };
}

/** Longer inputs only make a round slower. */
const MAX_BYTES = 64 * 1024;
const MAX_CHANGES = 6;
const MAX_PIECE = 32;

/** Inputs that parsers treat specially: bounds of numbers, terminators, the syntax of JSON, names and templates. */
const TOKENS = [
  ...[
    '',
    '\0',
    '\n',
    '{',
    '}',
    '[',
    ']',
    '"',
    '\\',
    ',',
    ':',
    '/',
    '..',
    '.',
    '@sha256:',
    '$',
    '${',
    '$$',
    '%',
  ],
  ...[
    'null',
    'true',
    '-1',
    '0',
    '1e999',
    '4294967296',
    '9007199254740993',
    '"\\ud800"',
    '__proto__',
    '\u0130',
  ],
  ...['\ufeff', '\u2028', 'é', '\u{1f600}', '['.repeat(2000), '{"a":'.repeat(500)],
].map((text) => Buffer.from(text));
const BYTES = [0, 1, 0x20, 0x2f, 0x7f, 0x80, 0xff];

/** @param others pieces of them may be taken */
export function mutate(input: Buffer, others: readonly Buffer[], random: Random): Buffer {
  let data = input;
  for (let left = 1 + random(MAX_CHANGES); left > 0; left--) data = changeOnce(data, others, random);
  return data.subarray(0, MAX_BYTES);
}

function changeOnce(data: Buffer, others: readonly Buffer[], random: Random): Buffer {
  const at = random(data.length + 1);
  const length = random(MAX_PIECE);
  const [before, after] = [data.subarray(0, at), data.subarray(at)];
  const other = others[random(others.length)] ?? data;
  switch (random(7)) {
    case 0:
      return Buffer.concat([before, TOKENS[random(TOKENS.length)] ?? Buffer.alloc(0), after]);
    case 1:
      return Buffer.concat([before, after.subarray(length)]);
    case 2:
      return Buffer.concat([before, after.subarray(0, length), after]);
    case 3:
      return Buffer.concat([before, other.subarray(random(other.length + 1))]);
    case 4:
      return before;
    case 5:
      return setByte(data, at, BYTES[random(BYTES.length)] ?? 0);
    default:
      return setByte(data, at, (data[at] ?? 0) ^ (1 << random(8)));
  }
}

function setByte(data: Buffer, at: number, value: number): Buffer {
  const copy = Buffer.from(data);
  if (at < copy.length) copy[at] = value;
  return copy;
}
