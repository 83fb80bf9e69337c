import { expect, test } from 'bun:test';
import { scanTokens } from './source-tokens.ts';

const cases: [source: string, texts: string[]][] = [
  ['a /* process.x */ // process.y\nb', ['a', 'b']],
  ["import 'node:fs';", ['import', 'node:fs', ';']],
  ['x = /["\'`]/g;', ['x', '=', '/["\'`]/g', ';']],
  ['a / b / c', ['a', '/', 'b', '/', 'c']],
  ['f(x) / 2', ['f', '(', 'x', ')', '/', '2']],
  ['`a ${b} c`', ['`a ${', 'b', '} c`']],
  ['`${ { k: `${v}` } }`;w', ['`${', '{', 'k', ':', '`${', 'v', '}`', '}', '}`', ';', 'w']],
];

test.each(cases)('%s', (source, texts) => {
  expect(scanTokens(source).map((token) => token.text)).toEqual(texts);
});

test('lines are counted from 1, also after a token of several lines', () => {
  const lines = scanTokens('a\n`\n${b}\n`\n/* \n */c').map((token) => [token.text, token.line]);
  expect(lines).toEqual([
    ['a', 1],
    ['`\n${', 2],
    ['b', 3],
    ['}\n`', 3],
    ['c', 6],
  ]);
});
