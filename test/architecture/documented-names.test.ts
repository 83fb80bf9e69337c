/** The documents name what the program reads and writes. */
import { expect, test } from 'bun:test';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dir, '../..');
const READ = /\benv\.([A-Z][A-Z_]+)/g;
const TAKEN_APART = /\{ ([A-Z][A-Z_, ]+) \} = \w+\.env\b/g;

function listVariables(text: string): string[] {
  const single = [...text.matchAll(READ)].map(([, name = '']) => name);
  return [...single, ...[...text.matchAll(TAKEN_APART)].flatMap(([, names = '']) => names.split(', '))];
}

test('docs/on-disk.md has each key of info', () => {
  const source = readFileSync(join(root, 'src/containers/info-file.ts'), 'utf8');
  const written = source.slice(
    source.indexOf('export function formatInfo'),
    source.indexOf('export function parseInfo'),
  );
  const keys = [...written.matchAll(/'([a-z]+(?:-[a-z]+)+)':/g)].map(([, key = '']) => key);
  expect(keys.length).toBeGreaterThan(10);
  const page = readFileSync(join(root, 'docs/on-disk.md'), 'utf8');
  expect(keys.filter((key) => !page.includes(`\`${key}\``))).toEqual([]);
});

test('what counts as reading an environment variable', () => {
  expect(listVariables("host.env.HOME; const { A_B, C } = host.env; env['x']; process.env.TERM")).toEqual([
    'HOME',
    'TERM',
    'A_B',
    'C',
  ]);
});

test('docs/configuration.md has each environment variable that the program reads', () => {
  const read = globSync('src/**/*.ts', { cwd: root }).flatMap((path) =>
    listVariables(readFileSync(join(root, path), 'utf8')),
  );
  expect(read.length).toBeGreaterThan(10);
  const page = readFileSync(join(root, 'docs/configuration.md'), 'utf8');
  expect([...new Set(read)].filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
});
