import { expect, test } from 'bun:test';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { parseMountTable, readMountTables, readOwnMounts } from '../../src/host/mounts/mount-table.ts';
import { listPathUsers } from '../../src/host/mounts/path-users.ts';
import { createSandbox } from '../support/sandbox.ts';
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

test('the root is mounted, and our namespace is the first of all', async () => {
  await using sandbox = await createSandbox();
  const own = readOwnMounts();
  expect(own.some(({ point }) => point === '/')).toBe(true);
  const tables = await Array.fromAsync(readMountTables(sandbox.host, ''));
  expect(tables[0]).toEqual({ pid: process.pid, mounts: own });
  const pids = tables.map(({ pid }) => pid);
  expect(pids).toEqual([...new Set(pids)]);
});

test('only the lines that are wanted are parsed, and the reading can be interrupted between tables', async () => {
  await using sandbox = await createSandbox();
  for await (const { mounts } of readMountTables(sandbox.host, 'no such mount')) expect(mounts).toEqual([]);
  const reading = readMountTables(sandbox.host, '');
  await reading.next();
  sandbox.interrupt();
  await expect(reading.next()).rejects.toMatchObject({ code: 'INTERRUPTED' });
});

test('finds the processes that use a folder, by current folder and open file, and no others', async () => {
  await using sandbox = await createSandbox();
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
    expect(await listPathUsers(sandbox.host, used)).toEqual(
      [inside, reader].sort((a, b) => a - b).map((pid) => ({ pid, command: 'sh' })),
    );
    expect(await listPathUsers(sandbox.host, folder.join('nothing'))).toEqual([]);
  } finally {
    for (const child of children) child.kill();
  }
});
