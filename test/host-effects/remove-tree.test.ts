import { expect, test } from 'bun:test';
import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { removeTree, requireNoMounts } from '../../src/host/files/remove-tree.ts';
import { parseMountPoints } from '../../src/host/mounts/mount-table.ts';
import { createTemporaryFolder } from '../support/temporary.ts';

test('removes everything and follows no symlink', async () => {
  await using folder = await createTemporaryFolder();
  await mkdir(folder.join('kept/inside'), { recursive: true });
  await mkdir(folder.join('gone/a/b/c'), { recursive: true });
  await mkdir(folder.join('gone/read-only'), { mode: 0o555 });
  await symlink(folder.join('kept'), folder.join('gone/a/link'));
  await symlink('/nonexistent', folder.join('gone/dangling'));
  await writeFile(Buffer.concat([Buffer.from(folder.join('gone/a/')), Buffer.from([0xe9, 0x0a, 0xff])]), 'x');
  await removeTree(folder.join('gone'));
  await removeTree(folder.join('gone'));
  expect((await readdir(folder.path, { recursive: true })).sort()).toEqual(['kept', 'kept/inside']);
});

test('a symlink in the place of the folder is not followed', async () => {
  await using folder = await createTemporaryFolder();
  await mkdir(folder.join('kept/inside'), { recursive: true });
  await symlink(folder.join('kept'), folder.join('link'));
  expect(await removeTree(folder.join('link')).catch((error: unknown) => error)).toMatchObject({
    code: 'STORE_FAILED',
  });
  expect(await readdir(folder.join('kept'))).toEqual(['inside']);
});

test('a mount point is refused', async () => {
  expect(await requireNoMounts('/proc').catch((error: unknown) => error)).toMatchObject({
    code: 'DEPLOYMENT_IN_USE',
    message: 'remove /proc: something is mounted at /proc',
  });
  await requireNoMounts('/pro');
});

test('mount points are unescaped', () => {
  const mountinfo = [
    '22 1 254:0 / / rw,relatime - ext4 /dev/vda rw',
    '23 22 0:21 / /mnt/with\\040blank\\134back rw shared:1 - tmpfs tmpfs rw',
    '',
  ].join('\n');
  expect(parseMountPoints(mountinfo)).toEqual(['/', '/mnt/with blank\\back']);
});
