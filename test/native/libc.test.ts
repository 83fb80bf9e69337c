import { afterAll, beforeAll, expect, test } from 'bun:test';
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { loadLibrary } from '../../src/native/koffi.ts';
import {
  growPipe,
  openPipe,
  renameNew,
  SystemCallFailed,
  syncFilesystem,
  tryLock,
} from '../../src/native/libc.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../support/temporary.ts';

const NO_DESCRIPTOR = 999_999;
const F_GETPIPE_SZ = 1032;
const fcntl = loadLibrary('libc.so.6').func('int fcntl(int fd, int command, int argument)');

let folder: TemporaryFolder;

beforeAll(async () => {
  folder = await createTemporaryFolder('libc');
});

afterAll(() => folder.remove());

test('what is written at one end of a pipe is read at the other', () => {
  const { readEnd, writeEnd } = openPipe(4096);
  writeSync(writeEnd, 'hello');
  closeSync(writeEnd);
  const data = Buffer.alloc(10);
  expect(readSync(readEnd, data)).toBe(5);
  expect(data.toString('utf8', 0, 5)).toBe('hello');
  expect(readSync(readEnd, data)).toBe(0);
  closeSync(readEnd);
});

test('a pipe has the wished capacity', () => {
  const { readEnd, writeEnd } = openPipe(1024 * 1024);
  expect(capacityOf(readEnd)).toBe(1024 * 1024);
  growPipe(writeEnd, 64 * 1024);
  expect(capacityOf(readEnd)).toBe(64 * 1024);
  closeSync(readEnd);
  closeSync(writeEnd);
});

test('growing a file that is not a pipe changes nothing and does not fail', () => {
  const fd = openSync(folder.join('file'), 'w');
  growPipe(fd, 1024 * 1024);
  closeSync(fd);
});

test('children do not inherit a pipe', () => {
  const { readEnd, writeEnd } = openPipe(4096);
  const inode = `pipe:[${fstatSync(readEnd).ino}]`;
  const listing = execFileSync('ls', ['-l', '/proc/self/fd'], { encoding: 'utf8' });
  expect(listing).not.toContain(inode);
  expect(execFileSync('ls', ['-l', `/proc/${process.pid}/fd`], { encoding: 'utf8' })).toContain(inode);
  closeSync(readEnd);
  closeSync(writeEnd);
});

test('locks: any number of readers or one writer, until the file is closed', () => {
  const open = (): number => openSync(folder.join('lock'), 'a');
  const [first, second, third] = [open(), open(), open()];
  expect([tryLock(first, 'shared'), tryLock(second, 'shared'), tryLock(third, 'exclusive')]).toEqual([
    true,
    true,
    false,
  ]);
  closeSync(second);
  expect(tryLock(third, 'exclusive')).toBe(false);
  // A shared lock can become exclusive when no other process has a lock.
  expect(tryLock(first, 'exclusive')).toBe(true);
  expect([tryLock(third, 'shared'), tryLock(third, 'exclusive')]).toEqual([false, false]);
  closeSync(first);
  expect(tryLock(third, 'exclusive')).toBe(true);
  closeSync(third);
});

test('a filesystem is synced through any file of it', () => {
  const fd = openSync(folder.path, 'r');
  expect(syncFilesystem(fd)).toBeUndefined();
  closeSync(fd);
});

test('a rename to a new name never replaces a file', () => {
  const [from, to] = [folder.join('rename-from'), folder.join('rename-to')];
  writeFileSync(from, 'new');
  writeFileSync(to, 'old');
  expect(() => renameNew(from, to)).toThrow('renameat2: file already exists');
  expect([readFileSync(from, 'utf8'), readFileSync(to, 'utf8')]).toEqual(['new', 'old']);
  renameNew(from, `${to}-2`);
  expect(readdirSync(folder.path)).not.toContain('rename-from');
  expect(readFileSync(`${to}-2`, 'utf8')).toBe('new');
});

test.each<[string, () => unknown]>([
  ['flock', () => tryLock(NO_DESCRIPTOR, 'shared')],
  ['syncfs', () => syncFilesystem(NO_DESCRIPTOR)],
])('a failed %s says which call and why', (call, action) => {
  let thrown: unknown;
  try {
    action();
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(SystemCallFailed);
  expect(thrown).toMatchObject({
    name: 'SystemCallFailed',
    syscall: call,
    code: 'EBADF',
    message: `${call}: bad file descriptor`,
  });
});

test('an errno without a name keeps its number', () => {
  expect(new SystemCallFailed('made-up', 4000)).toMatchObject({
    code: 'errno 4000',
    message: 'made-up: errno 4000',
  });
});

function capacityOf(fd: number): number {
  return fcntl(fd, F_GETPIPE_SZ, 0);
}
