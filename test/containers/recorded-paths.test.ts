/** Paths of host files in records of the original, on a host with symlinks. */
import { expect, test } from 'bun:test';
import { chmodSync, lchownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { followRootLinks } from '../../src/containers/hostfiles/recorded-paths.ts';

/** Below `/root`, because other users can write in `/tmp`. */
test('a symlink of root in a folder of root is followed, others are not', async () => {
  const folder = mkdtempSync('/root/atomic-recorded-');
  using _ = { [Symbol.dispose]: () => rmSync(folder, { recursive: true }) };
  const at = (path: string) => join(folder, path);
  mkdirSync(at('target'));
  symlinkSync('target', at('link'));
  symlinkSync('loop', at('loop'));
  expect(followRootLinks(at('link/a/b'))).toBe(at('target/a/b'));
  expect(followRootLinks(at('loop/a'))).toBe(at('loop/a'));
  expect(followRootLinks(at('link'))).toBe(at('link'));
  lchownSync(at('link'), 65534, 65534);
  expect(followRootLinks(at('link/a/b'))).toBe(at('link/a/b'));
  lchownSync(at('link'), 0, 0);
  chmodSync(folder, 0o775);
  expect(followRootLinks(at('link/a/b'))).toBe(at('link/a/b'));
});
