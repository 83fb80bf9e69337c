/**
 * Gives each parser the inputs of its corpus, and inputs made of them. `scripts/test --fuzz` does that for a minute each,
 * with another seed every time. A failure prints the seed and stores the input: copy it into the corpus when it is mended.
 */
import { describe, expect, test } from 'bun:test';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRandom, mutate } from './mutate.ts';
import { type FuzzTarget, targets } from './targets.ts';

const corpusFolder = join(import.meta.dir, 'corpus');
/** Without a number of seconds: the same few inputs in every run. */
const seconds = Number(process.env.ATOMIC_FUZZ_SECONDS ?? '0');
const ROUNDS = 300;
const seed = Number(process.env.ATOMIC_FUZZ_SEED ?? (seconds === 0 ? '20261130' : Date.now() % 2 ** 31));

test('each corpus has a target', () => {
  expect(readdirSync(corpusFolder).sort()).toEqual(targets.map(({ name }) => name).sort());
});

describe.each(targets.map((target) => [target.name, target] as const))('%s', (_, target) => {
  const corpus = readCorpus(target);

  test.each(corpus)('takes or refuses %s', (_, input) => check(target, input));

  test(
    `takes or refuses what is made of them with the seed ${seed}`,
    () => {
      const random = createRandom(seed);
      const known = corpus.map(([, input]) => input);
      const end = performance.now() + seconds * 1000;
      for (let round = 0; round < ROUNDS || performance.now() < end; round++) {
        check(target, mutate(known[random(known.length)] ?? Buffer.alloc(0), known, random));
      }
    },
    seconds * 1000 + 60_000,
  );
});

function readCorpus({ name }: FuzzTarget): [string, Buffer][] {
  const folder = join(corpusFolder, name);
  return readdirSync(folder).map((file) => [file, readFileSync(join(folder, file))]);
}

function check(target: FuzzTarget, input: Buffer): void {
  try {
    target.run(input);
  } catch (error) {
    if (error instanceof target.refusal) return;
    const path = join(mkdtempSync(join(tmpdir(), 'atomic-fuzz-')), target.name);
    writeFileSync(path, input);
    throw new Error(`${target.name} failed at the input in ${path} (seed ${seed})`, { cause: error });
  }
}
