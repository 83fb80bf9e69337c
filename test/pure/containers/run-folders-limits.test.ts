import { expect, test } from 'bun:test';
import { readRunFolders } from '../../../src/containers/prepare/read-run-folders.ts';
import type { ImageTree } from '../../../src/store/image-files.ts';

/** An image without folders below /run. */
function buildTree(files: Readonly<Record<string, string>>): { tree: ImageTree; looks: string[] } {
  const folder = '/usr/lib/tmpfiles.d/'.slice(1);
  const looks: string[] = [];
  const tree: ImageTree = {
    readFile: (path) => {
      const text = files[path.slice(folder.length)];
      return text === undefined ? undefined : Buffer.from(text);
    },
    exists: () => false,
    look: (path) => {
      looks.push(path);
      return undefined;
    },
    readProgram: () => undefined,
    listDirectory: (path) => (`${path}/` === folder ? Object.keys(files) : undefined),
  };
  return { tree, looks };
}

const users = { passwd: '', group: '' };

test('a folder is looked for once, however often it is declared, and a hostile image cannot ask for many', () => {
  const twice = buildTree({ 'a.conf': 'd /run/a\nd /run/a\n' });
  expect(readRunFolders(twice.tree, users, '').folders.map(({ path }) => path)).toEqual(['/run/a']);
  expect(twice.looks).toEqual(['/run/a', '/run']);
  const many = buildTree({
    'a.conf': Array.from({ length: 50_000 }, (_, index) => `d /run/${index}`).join('\n'),
  });
  expect(readRunFolders(many.tree, users, '').folders.length).toBe(50);
  expect(many.looks.length).toBe(400);
});

test('files beyond the limit for all of them are not read', () => {
  const { tree } = buildTree({
    'a.conf': 'd /run/a\n',
    'b.conf': `#${'x'.repeat(1024 * 1024)}\nd /run/b\n`,
    'c.conf': 'd /run/c\n',
  });
  expect(readRunFolders(tree, users, '').folders.map(({ path }) => path)).toEqual(['/run/a']);
});
