/** Data that makes each decision of Go's compressor come up, the same on every machine. */
const MEGABYTE = 1024 * 1024;

/** Numbers below 2^32 from a linear congruential generator. */
function* numbers(seed: number): Generator<number, never> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state >>> 8;
  }
}

function fill(bytes: number, next: () => number): Buffer {
  const data = Buffer.alloc(bytes);
  for (let at = 0; at < bytes; at++) data[at] = next();
  return data;
}

function noise(bytes: number, values: number): Buffer {
  const source = numbers(values);
  return fill(bytes, () => (source.next().value >>> 8) % values);
}

/** Repeats itself over all distances that a match can have, and over longer ones. */
function text(bytes: number): Buffer {
  const source = numbers(7);
  const words = Array.from({ length: 3000 }, () => (source.next().value % 1e6).toString(36));
  let line = '';
  while (line.length < bytes) line += `${words[source.next().value % words.length]} `;
  return Buffer.from(line.slice(0, bytes));
}

export const inputs: Readonly<Record<string, () => Buffer>> = {
  nothing: () => Buffer.alloc(0),
  'one byte': () => Buffer.from('a'),
  'three bytes': () => Buffer.from('abc'),
  'a short match': () => Buffer.from('abcdabcd'),
  zeros: () => Buffer.alloc(3 * MEGABYTE),
  'noise, which is stored as it is': () => noise(200_000, 256),
  'few values, without a match worth taking': () => noise(150_000, 4),
  text: () => text(2 * MEGABYTE),
  'text and noise by turns': () =>
    Buffer.concat(
      Array.from({ length: 24 }, (_, part) =>
        part % 2 === 0 ? text(40_000 + part) : noise(30_000 + part * 7, 256),
      ),
    ),
  'an archive': () =>
    Buffer.concat(
      Array.from({ length: 300 }, (_, part) =>
        Buffer.concat([Buffer.alloc(512, `name-${part}\0\0\0`), text(part * 31)]),
      ),
    ),
};
