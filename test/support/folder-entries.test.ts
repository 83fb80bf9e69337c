import { expect, test } from 'bun:test';
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { readFolderEntries } from './folder-entries.ts';
import { createTemporaryFolder } from './temporary.ts';

test('a folder becomes entries without owner, time and the finer modes', async () => {
  await using folder = await createTemporaryFolder();
  await mkdir(folder.join('usr/bin'), { recursive: true });
  await writeFile(folder.join('usr/bin/tool'), '#!/bin/sh\n');
  await chmod(folder.join('usr/bin/tool'), 0o700);
  await writeFile(folder.join('a'), 'text', { mode: 0o600 });
  await symlink('usr/bin', folder.join('bin'));
  expect(await readFolderEntries(folder.path, 'prefix')).toEqual([
    { path: 'prefix/a', mode: 0o644, content: Buffer.from('text') },
    { path: 'prefix/bin', type: 'symlink', mode: 0o777, linkName: 'usr/bin' },
    { path: 'prefix/usr', type: 'directory' },
    { path: 'prefix/usr/bin', type: 'directory' },
    { path: 'prefix/usr/bin/tool', mode: 0o755, content: Buffer.from('#!/bin/sh\n') },
  ]);
});
