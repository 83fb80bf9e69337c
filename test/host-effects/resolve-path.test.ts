import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { resolvePath } from '../../src/host/files/resolve-path.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../support/temporary.ts';

let folder: TemporaryFolder;
const at = (path: string): string => `${realpathSync(folder.path)}/${path}`;

beforeAll(async () => {
  folder = await createTemporaryFolder('resolve-path');
  mkdirSync(at('a/b'), { recursive: true });
  writeFileSync(at('a/file'), '');
  symlinkSync('a/b', at('relative'));
  symlinkSync(at('a'), at('absolute'));
  symlinkSync('../absolute/b/new', at('a/dangling'));
  symlinkSync('circle', at('circle'));
});
afterAll(() => folder.remove());

test.each<[string, string, string]>([
  ['a/b', 'directory', 'a/b'],
  ['./a//b/', 'directory', 'a/b'],
  ['a/file', 'file', 'a/file'],
  ['relative', 'directory', 'a/b'],
  ['relative/..', 'directory', 'a'],
  ['relative/../file', 'file', 'a/file'],
  ['absolute/b', 'directory', 'a/b'],
  ['absolute/none/deeper', 'missing', 'a/none/deeper'],
  ['a/dangling/x', 'missing', 'a/b/new/x'],
  ['none/../absolute', 'directory', 'a'],
  ['a/file/x', 'missing', 'a/file/x'],
])('%s is a %s: %s', (path, kind, expected) => {
  expect(resolvePath(at(path))).toEqual({ kind: kind as 'file', path: at(expected) });
});

test.each([
  ['/proc/self/cwd/x', '/proc/self/cwd'],
  ['/proc/thread-self/root', '/proc/thread-self/root'],
  [`/proc/${process.pid}/fd/0`, `/proc/${process.pid}/fd/0`],
  [`/proc/self/task/${process.pid}/root/etc`, `/proc/self/task/${process.pid}/root`],
  ['/dev/stdin', '/proc/self/fd/0'],
])('%s depends on the process that looks', (path, link) => {
  expect(resolvePath(path)).toEqual({ kind: 'unknown', link });
});

test('a circle ends', () => {
  expect(resolvePath(at('circle/x'))).toEqual({ kind: 'unknown', link: at('circle') });
});

test.each([
  ['/', 'directory'],
  ['/../..', 'directory'],
  ['/proc/self/status', 'file'],
])('%s is a %s', (path, kind) => {
  expect(resolvePath(path).kind).toBe(kind as 'file');
});
