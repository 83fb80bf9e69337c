import { expect, test } from 'bun:test';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { listMountNamespaces, parseMountTable, readOwnMounts } from '../../src/host/mount-table.ts';
import { listPathUsers } from '../../src/host/path-users.ts';
import { createTemporaryFolder } from '../support/temporary.ts';

test('lines of mountinfo: optional fields, escapes, no source', () => {
  expect(
    parseMountTable(
      [
        '44 26 0:38 / /mnt/a\\040b\\134c ro,nosuid shared:7 master:1 - overlay atomic:0123456789ab ro,lowerdir=x',
        '45 26 0:39 / /tmp rw - tmpfs tmp\\011fs rw',
        '46 26 0:40 /- /x rw - ext4 - rw',
        '',
      ].join('\n'),
    ),
  ).toEqual([
    { point: '/mnt/a b\\c', type: 'overlay', source: 'atomic:0123456789ab' },
    { point: '/tmp', type: 'tmpfs', source: 'tmp\tfs' },
    { point: '/x', type: 'ext4', source: '-' },
  ]);
});

test('the root is mounted, and our namespace is among all', () => {
  const own = readOwnMounts();
  expect(own.some(({ point }) => point === '/')).toBe(true);
  expect(listMountNamespaces().some(({ mounts }) => Bun.deepEquals(mounts, own))).toBe(true);
});

test('who uses a folder: by current folder and open file; nobody beside it', async () => {
  await using folder = await createTemporaryFolder('users');
  const [used, beside] = [folder.join('used'), folder.join('used-not')];
  for (const path of [used, `${used}/below`, beside]) mkdirSync(path);
  const start = async (script: string, cwd: string): Promise<number> => {
    const child = spawn('/bin/sh', ['-c', `${script}; echo; read _`], {
      cwd,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    children.push(child);
    await once(child.stdout, 'data');
    return child.pid ?? 0;
  };
  const children: ReturnType<typeof spawn>[] = [];
  try {
    const inside = await start(':', `${used}/below`);
    const reader = await start(`exec 5> '${used}/file'`, '/');
    await start(`exec 5> '${beside}/file'`, beside);
    expect(listPathUsers(used)).toEqual(
      [inside, reader].sort((a, b) => a - b).map((pid) => ({ pid, command: 'sh' })),
    );
    expect(listPathUsers(folder.join('nothing'))).toEqual([]);
  } finally {
    for (const child of children) child.kill();
  }
});
