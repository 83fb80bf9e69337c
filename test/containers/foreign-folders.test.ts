/** Which folders with the name of a container belong to another program. */
import { expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import type { DeploymentRecord } from '../../src/containers/container.ts';
import { isLeftBy, listForeignFolders, markFolders } from '../../src/containers/state/foreign-folders.ts';
import type { Host } from '../../src/host/host.ts';
import { plainRecord } from '../support/plain-record.ts';
import { createSandbox } from '../support/sandbox.ts';
import { createTemporaryFolder } from '../support/temporary.ts';

test('a folder is foreign when it exists, unless the container has left it or had it before', async () => {
  await using parent = await createTemporaryFolder();
  const STATE_DIRECTORY = parent.path;
  const list = (name: string, previous?: DeploymentRecord) =>
    listForeignFolders(name, { STATE_DIRECTORY, RUN_DIRECTORY: 'relative' }, previous);
  const at = (name: string) => `${STATE_DIRECTORY}/${name}`;
  expect(await list('missing')).toEqual([]);
  await mkdir(at('web'));
  await writeFile(at('file'), '');
  await symlink('web', at('link'));
  for (const name of ['web', 'file', 'link']) expect(await list(name)).toEqual([at(name)]);

  const had = { ...plainRecord, values: { STATE_DIRECTORY: `${STATE_DIRECTORY}/` } };
  expect(await list('web', had)).toEqual([]);
  expect(await list('web', { ...had, foreignFolders: [at('web')] })).toEqual([at('web')]);
  expect(await list('web', { ...had, values: { STATE_DIRECTORY: '/srv' } })).toEqual([at('web')]);

  const warnings: string[] = [];
  await using sandbox = await createSandbox();
  const report: Host['report'] = (event) => 'text' in event && warnings.push(event.text);
  const host = { ...sandbox.host, report };
  await markFolders(host, 'web', [at('web'), at('missing'), at('file'), at('link')]);
  expect(warnings).toEqual([]);
  expect(await list('web')).toEqual([]);
  expect([isLeftBy(at('web'), 'web'), isLeftBy(at('web'), 'other')]).toEqual([true, false]);
  expect(await list('link')).toEqual([at('link')]);
  await mkdir(at('fixed'));
  spawnSync('mount', ['-t', 'tmpfs', '-o', 'ro', 'none', at('fixed')]);
  await markFolders(host, 'fixed', [at('fixed')]);
  spawnSync('umount', [at('fixed')]);
  expect(warnings).toEqual([
    `mark ${at('fixed')}: the filesystem is read-only; a later fixed will ask for this folder as for one of another program`,
  ]);
  await rename(at('web'), at('other'));
  expect(await list('other')).toEqual([at('other')]);
});

test('no folder of the configuration of the host belongs to a container', async () => {
  const values = { STATE_DIRECTORY: '/etc/systemd/system', RUN_DIRECTORY: '/usr/lib' };
  expect(await listForeignFolders('new.service.d', values, undefined)).toEqual([
    ...['/etc/systemd/system/new.service.d', '/usr/lib/new.service.d'],
  ]);
});
