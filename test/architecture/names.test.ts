/** One name has one meaning, and what is exported is used elsewhere. */
import { expect, test } from 'bun:test';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dir, '../..');

interface Source {
  readonly path: string;
  readonly text: string;
  readonly words: ReadonlySet<string>;
}

const everything: Source[] = globSync('{src,test,bench,scripts,images}/**/*.ts', { cwd: root }).map(
  (path) => {
    const text = readFileSync(join(root, path), 'utf8');
    return { path, text, words: new Set(text.match(/[A-Za-z_$][\w$]*/g)) };
  },
);
const sources = everything.filter(({ path }) => path.startsWith('src/'));

const EXPORT = /^export (?:async )?(?:function\*?|const|class|interface|type) ([A-Za-z_$][\w$]*)/gm;

function listExports({ text }: Pick<Source, 'text'>): string[] {
  return [...text.matchAll(EXPORT)].flatMap(([, name]) => name ?? []);
}

const declared = new Map<string, Source[]>();
for (const source of sources) {
  for (const name of listExports(source)) declared.set(name, [...(declared.get(name) ?? []), source]);
}

test('what counts as an export', () => {
  const text = [
    'export const a = 1;',
    'export async function b() {}',
    'export function* c() {}',
    'export class D {}',
    'export interface E {}',
    'export type F = string;',
    'const g = 1;',
    '// export const h = 1;',
    "const text = 'export const i';",
  ].join('\n');
  expect(listExports({ text })).toEqual(['a', 'b', 'c', 'D', 'E', 'F']);
});

test('no two modules export the same name', () => {
  expect(declared.size).toBeGreaterThan(500);
  const twice = [...declared].filter(([, places]) => places.length > 1);
  expect(twice.map(([name, places]) => `${name}: ${places.map(({ path }) => path).join(', ')}`)).toEqual([]);
});

test('every export is used by another file', () => {
  const unused = [...declared].flatMap(([name, places]) =>
    places
      .filter((place) => !everything.some((other) => other !== place && other.words.has(name)))
      .map(({ path }) => `${path}: ${name}`),
  );
  expect(unused).toEqual([]);
});

test('every error code is thrown somewhere', () => {
  const errors = sources.find(({ path }) => path === 'src/base/errors.ts');
  const codes = [...(errors?.text.matchAll(/^ {2}([A-Z][A-Z_]+): /gm) ?? [])].flatMap(
    ([, code]) => code ?? [],
  );
  expect(codes.length).toBeGreaterThan(20);
  const dead = codes.filter(
    (code) => !sources.some((source) => source !== errors && source.text.includes(`'${code}'`)),
  );
  expect(dead).toEqual([]);
});

test('digests and checksums have one pattern', () => {
  const owners = ['src/image/checksum.ts', 'src/image/digest.ts'];
  const wrong = sources
    .filter(({ path, text }) => !owners.includes(path) && /\^(?:sha256:)?\[0-9a-f\]\{64\}\$/.test(text))
    .map(({ path }) => path);
  expect(wrong).toEqual([]);
});

test('only the module of a type makes its values from any text', () => {
  const owners = { Checksum: 'checksum.ts', Digest: 'digest.ts', ImageReference: 'reference.ts' };
  const wrong = sources.flatMap(({ path, text }) =>
    Object.entries(owners)
      .filter(([type, owner]) => path !== `src/image/${owner}` && new RegExp(`\\bas ${type}\\b`).test(text))
      .map(([type]) => `${path}: as ${type}`),
  );
  expect(wrong).toEqual([]);
});
