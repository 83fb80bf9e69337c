import { expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { chmod, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { createTemporaryFolder } from './temporary.ts';
import { diffSnapshots, takeSnapshot } from './tree-snapshot.ts';

test('the difference of two snapshots names new, removed and changed files', async () => {
  await using folder = await createTemporaryFolder();
  const owner = `${process.geteuid?.()}:${process.getegid?.()}`;
  await chmod(folder.path, 0o755);
  await writeFile(folder.join('same'), 'same');
  await writeFile(folder.join('gone'), 'gone', { mode: 0o600 });
  await writeFile(folder.join('changed'), 'old');
  await writeFile(folder.join('mode'), '');
  await symlink('a', folder.join('link'));
  await mkdir(folder.join('left out'));
  const options = { exclude: [folder.join('left out')] };
  const before = takeSnapshot(folder.path, options);
  expect(diffSnapshots(before, takeSnapshot(folder.path, options))).toEqual([]);

  await rm(folder.join('gone'));
  await writeFile(folder.join('changed'), 'new');
  await chmod(folder.join('mode'), 0o4711);
  await rm(folder.join('link'));
  await symlink('b', folder.join('link'));
  await writeFile(folder.join('left out/file'), '');
  await mkdir(folder.join('new é\n'), { mode: 0o750 });
  setAttribute(folder.join('new é\n'), 'user.a', 'x');
  const hash = { gone: '283bb9de', old: 'cba06b57', new: '11507a0e', empty: 'e3b0c442' };
  const short = (line: string): string => line.replace(/\b([0-9a-f]{8})[0-9a-f]{56}\b/g, '$1');
  const diff = diffSnapshots(before, takeSnapshot(folder.path, options)).map(short);
  expect(diff).toEqual([
    `~ ${folder.path}/changed: file 0644 ${owner} 3 ${hash.old} -> file 0644 ${owner} 3 ${hash.new}`,
    `- ${folder.path}/gone file 0600 ${owner} 4 ${hash.gone}`,
    `~ ${folder.path}/link: symlink ${owner} -> a -> symlink ${owner} -> b`,
    `~ ${folder.path}/mode: file 0644 ${owner} 0 ${hash.empty} -> file 4711 ${owner} 0 ${hash.empty}`,
    `+ ${folder.path}/new é\n directory 0750 ${owner} user.a=0x78`,
  ]);
});

function setAttribute(path: string, name: string, value: string): void {
  const { status, stderr } = spawnSync('setfattr', ['-n', name, '-v', value, path], { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
}
