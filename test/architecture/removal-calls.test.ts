/** Of a file, the runtime's `rm` reports an error of the disk as a bad address: it removes folders only. */
import { expect, test } from 'bun:test';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { scanTokens } from './source-tokens.ts';

const root = join(import.meta.dir, '../..');
const LENGTH_OF_A_CALL = 20;

function findRemovalsOfFiles(path: string): readonly string[] {
  const tokens = scanTokens(readFileSync(join(root, path), 'utf8'));
  return tokens.flatMap(({ text, line }, index) => {
    if ((text !== 'rm' && text !== 'rmSync') || tokens[index + 1]?.text !== '(') return [];
    const call = tokens.slice(index, index + LENGTH_OF_A_CALL);
    return call.some((token) => token.text === 'recursive') ? [] : [`${path}:${line}`];
  });
}

test('files are removed by unlink', () => {
  const sources = globSync('src/**/*.ts', { cwd: root });
  expect(sources.length).toBeGreaterThan(100);
  expect(sources.flatMap(findRemovalsOfFiles)).toEqual([]);
});
