/** Comments and test names cite the rows of docs/compatibility.md: `(compatibility N-10)`. */
import { expect, test } from 'bun:test';
import { globSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dir, '../..');
/** An id, also where a citation names several or leaves out the word. */
const ID = /(?<![\w-])[A-Z]-\d{2}(?![\w-])/g;
/** A row of a table: `| N-10 | ...`. */
const ROW = /^\| ([A-Z]-\d{2}) \|/gm;
/** What follows the word in a citation, over the end of a comment's line. A sentence about compatibility has no number. */
const SECTION = /compatibility[\s*/]+(?:[\w-]+,[\s*/]+)*\d[\d.]*/g;
/** An issue of another project: `S#42`. */
const ISSUE = /(?<![\w-])[A-Z]#\d+/g;

const rows = new Set(matchAll(read('docs/compatibility.md'), ROW));
const files = ['src/**/*.ts', 'test/**/*.ts', 'scripts/**/*', 'images/**/*.ts', 'bench/**/*.ts', 'docs/*.md']
  .flatMap((pattern) => globSync(pattern, { cwd: root }))
  .filter(
    (path) => path !== 'test/architecture/citations.test.ts' && /\.(ts|md|sh)$|^scripts\/\w+$/.test(path),
  )
  .filter((path) => statSync(join(root, path)).isFile())
  .map((path) => ({ path, text: read(path) }));

test('every id leads to one row of docs/compatibility.md', () => {
  const cited = files.flatMap(({ path, text }) => [...text.matchAll(ID)].map(([id]) => ({ path, id })));
  expect(cited.length).toBeGreaterThan(100);
  expect(cited.filter(({ id }) => !rows.has(id))).toEqual([]);
  expect(matchAll(read('docs/compatibility.md'), ROW)).toHaveLength(rows.size);
});

test.each(['compatibility 3.2', 'compatibility N-10, 7.1', 'compatibility\n * 3'])(
  '%j names a section',
  (text) => {
    expect(matchAll(text, SECTION)).toHaveLength(1);
  },
);

test('no citation names a section of another document or an issue of another project', () => {
  const wrong = files.flatMap(({ path, text }) =>
    [SECTION, ISSUE].flatMap((pattern) =>
      [...text.matchAll(pattern)].map(([citation]) => ({ path, citation })),
    ),
  );
  expect(wrong).toEqual([]);
});

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

function matchAll(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map(([, id = '']) => id);
}
