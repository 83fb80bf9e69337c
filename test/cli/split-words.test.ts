import { expect, test } from 'bun:test';
import { splitWords } from '../../src/cli/arguments/split-words.ts';

const takesValue = (written: string): boolean => ['--set', '-n'].includes(written);
const operand = (text: string) => ({ kind: 'operand', text, isAfterDashes: false });
const option = (written: string, value?: string, isInline = false) => ({
  kind: 'option',
  written,
  value,
  isInline,
});

test.each([
  { words: [], tokens: [] },
  { words: ['a', '-', ''], tokens: [operand('a'), operand('-'), operand('')] },
  { words: ['--json', 'a'], tokens: [option('--json'), operand('a')] },
  { words: ['--set', 'K=V', 'a'], tokens: [option('--set', 'K=V'), operand('a')] },
  { words: ['--set=K=V=W'], tokens: [option('--set', 'K=V=W', true)] },
  { words: ['--set=K='], tokens: [option('--set', 'K=', true)] },
  { words: ['--set='], tokens: [option('--set', '', true)] },
  { words: ['--set'], tokens: [option('--set')] },
  { words: ['--set', '--json'], tokens: [option('--set', '--json')] },
  { words: ['-n', 'x'], tokens: [option('-n', 'x')] },
  { words: ['-nx'], tokens: [option('-n', 'x', true)] },
  { words: ['-n=x'], tokens: [option('-n', 'x', true)] },
  { words: ['-n='], tokens: [option('-n', '', true)] },
  { words: ['-n'], tokens: [option('-n')] },
  { words: ['-aqn', 'x'], tokens: [option('-a'), option('-q'), option('-n', 'x')] },
  { words: ['-aqnx'], tokens: [option('-a'), option('-q'), option('-n', 'x', true)] },
  { words: ['-a=x'], tokens: [option('-a', 'x', true)] },
  {
    words: ['a', '--', '--set', '-n', '--'],
    tokens: [
      operand('a'),
      ...['--set', '-n', '--'].map((text) => ({ ...operand(text), isAfterDashes: true })),
    ],
  },
])('$words', ({ words, tokens }) => {
  expect(splitWords(words, takesValue)).toEqual(tokens as unknown as ReturnType<typeof splitWords>);
});
