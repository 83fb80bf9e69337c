import { expect, test } from 'bun:test';
import { LayerPaths, type PathUse } from '../../../src/tar/layer-paths.ts';

/** Adds entries in their order; returns where each went. `a/ -> b` is a symlink, `a/` a directory, `a!` is skipped. */
function place(...written: string[]): string[] {
  const paths = new LayerPaths();
  return written.map((text) => {
    const [name = '', target] = text.split(' -> ');
    const use: PathUse =
      target !== undefined
        ? { kind: 'symlink', target }
        : { kind: name.endsWith('/') ? 'directory' : name.endsWith('!') ? 'skipped' : 'file' };
    const path = paths.resolve(name.replace(/[/!]$/, ''));
    paths.add(path, use, 'file');
    return path;
  });
}

test.each<[string, string[], string]>([
  ['a relative symlink', ['lib -> usr/lib', 'lib/x'], 'usr/lib/x'],
  ['an absolute one', ['lib -> /usr/lib', 'lib/x'], 'usr/lib/x'],
  ['one in a folder', ['a/b/lib -> ../c', 'a/b/lib/x'], 'a/c/x'],
  ['one that climbs above the root', ['lib -> ../../../etc', 'lib/x'], 'etc/x'],
  ['one to the root', ['all -> /', 'all/x'], 'x'],
  ['one to itself from within', ['d/self -> .', 'd/self/self/x'], 'd/x'],
  ['a chain', ['a -> b', 'b -> c/d', 'c/d -> /e', 'a/x'], 'e/x'],
  ['symlinks in a target', ['a -> b/../c', 'b -> x/y', 'a/f'], 'x/c/f'],
  ['double slashes and dots in a target', ['a -> .//b/./c/', 'a/f'], 'b/c/f'],
  ['only folders are followed', ['a -> b', 'a'], 'a'],
  ['a symlink that was replaced by a file does not lead on', ['a -> b', 'a', 'c -> a', 'c/x'], 'a/x'],
  ['nor one that was replaced by a directory', ['a -> b', 'a/x', 'a/', 'a/x'], 'a/x'],
  ['one that was replaced by another one', ['a -> b', 'a/x', 'a -> c', 'a/x'], 'c/x'],
  ['a symlink behind a symlink', ['lib -> usr/lib', 'lib/so -> /opt', 'usr/lib/so/x'], 'opt/x'],
  ['a whiteout is no symlink', ['.wh.a -> b', '.wh.a/x'], '.wh.a/x'],
  ['a whiteout below a symlink', ['lib -> usr/lib', 'lib/.wh.x'], 'usr/lib/.wh.x'],
])('%s', (_, written, last) => {
  expect(place(...written).at(-1)).toBe(last);
});

test('directories above an entry are implied where they are, until an entry names them', () => {
  const paths = new LayerPaths();
  paths.add('lib', { kind: 'symlink', target: 'usr/lib' }, 'symlink');
  paths.add(paths.resolve('lib/a/x'), { kind: 'file' }, 'file');
  paths.add(paths.resolve('lib/a'), { kind: 'directory' }, 'directory');
  expect(paths.impliedDirectories().sort()).toEqual(['', 'usr', 'usr/lib']);
});

test('bounds the time that chains of symlinks take', () => {
  const paths = new LayerPaths();
  for (let index = 0; index < 40; index++) {
    const target = `${'x/'.repeat(999)}${'../'.repeat(999)}s${index + 1}`;
    paths.add(`s${index}`, { kind: 'symlink', target }, 'symlink');
  }
  expect(() => {
    for (let index = 0; index < 10_000; index++) paths.resolve(`s0/${index}/f`);
  }).toThrow('too many long paths through symlinks');
});
