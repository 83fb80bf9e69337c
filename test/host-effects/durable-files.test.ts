import { expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import {
  removeFile,
  syncDirectory,
  syncFilesystemOf,
  temporaryPath,
  writeFileDurably,
} from '../../src/host/files/durable-files.ts';
import { createTemporaryFolder } from '../support/temporary.ts';

test('writes the whole file with its mode, with any umask, and leaves no other file', async () => {
  await using folder = await createTemporaryFolder();
  const path = folder.join('etcd.service');
  await writeFile(temporaryPath(path), 'half of an ear');
  const umask = process.umask(0o077);
  try {
    await writeFileDurably(path, 'first\n', 0o600);
    await writeFileDurably(path, 'second\n', 0o644);
  } finally {
    process.umask(umask);
  }
  expect(await readFile(path, 'utf8')).toBe('second\n');
  expect((await stat(path)).mode & 0o7777).toBe(0o644);
  expect(await readdir(folder.path)).toEqual(['etcd.service']);
});

test('a file that cannot be put in place leaves nothing', async () => {
  await using folder = await createTemporaryFolder();
  const path = folder.join('taken');
  await mkdir(`${path}/full`, { recursive: true });
  expect(await writeFileDurably(path, 'text', 0o644).catch((error: unknown) => error)).toMatchObject({
    code: 'STORE_FAILED',
  });
  expect(await readdir(folder.path)).toEqual(['taken']);
});

test('removes a file and its temporary file from a crash, also twice', async () => {
  await using folder = await createTemporaryFolder();
  const path = folder.join('etcd.conf');
  await writeFile(path, 'text');
  await writeFile(temporaryPath(path), 'te');
  await removeFile(path);
  await removeFile(path);
  expect(await readdir(folder.path)).toEqual([]);
});

test('the temporary name is hidden and has another ending', () => {
  expect(temporaryPath('/etc/systemd/system/etcd.service')).toBe('/etc/systemd/system/.etcd.service.new');
});

test('syncs a folder and its filesystem', async () => {
  await using folder = await createTemporaryFolder();
  await syncDirectory(folder.path);
  await syncFilesystemOf(folder.path);
  expect(await syncDirectory(folder.join('missing')).catch((error: unknown) => error)).toMatchObject({
    code: 'STORE_FAILED',
  });
});

test('on a read-only filesystem only an existing file cannot be removed', async () => {
  await using folder = await createTemporaryFolder();
  await writeFile(folder.join('there'), 'text');
  const mount = (...args: string[]) => expect(spawnSync('mount', args).status).toBe(0);
  mount('--bind', folder.path, folder.path);
  mount('-o', 'remount,bind,ro', folder.path);
  try {
    await removeFile(folder.join('missing'));
    const readOnly = { code: 'READ_ONLY' };
    const remove = removeFile(folder.join('there'));
    expect(await remove.catch((error: unknown) => error)).toMatchObject(readOnly);
    const write = writeFileDurably(folder.join('new'), 'text', 0o644);
    expect(await write.catch((error: unknown) => error)).toMatchObject(readOnly);
  } finally {
    spawnSync('umount', [folder.path]);
  }
});
