/** The paths that prune removes from CHECKOUTS, and those that it must not remove. */
import { expect, test } from 'bun:test';
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import {
  removeContainerLeftovers,
  removeUnpackedLayers,
} from '../../src/containers/cleanup/container-leftovers.ts';
import { withContainerLock } from '../../src/containers/container-lock.ts';
import { buildInstallJournal } from '../../src/containers/install/install-journal.ts';
import { writeJournal } from '../../src/containers/journal.ts';
import { noNewVolumes } from '../../src/containers/render/config/image-volumes.ts';
import { createSandbox } from '../support/sandbox.ts';
import { writeDeployment } from './fake-deployment.ts';

test('incomplete deployments are removed, unless recovery will finish them', async () => {
  await using sandbox = await createSandbox();
  const { checkouts } = sandbox.locations;
  expect(await removeContainerLeftovers(sandbox.host)).toEqual([]);
  await writeDeployment(sandbox, 'web');
  const folders = [
    '.web.1.new',
    '.gone.0.old',
    '.x.0.1.new',
    '.pending.0.new',
    '.busy.0.new',
    'orphan.0',
    '.other',
    '.web.2.new',
  ];
  for (const name of folders) mkdirSync(`${checkouts}/${name}/rootfs/etc`, { recursive: true });
  symlinkSync('/nowhere', `${checkouts}/.gone.link`);
  writeFileSync(`${checkouts}/.web.1.new/rootfs/etc/passwd`, 'root');
  await writeJournal(sandbox.host, buildInstallJournal('pending', 0, noNewVolumes));
  const removed = await withContainerLock(sandbox.host, 'busy', 'install', () =>
    removeContainerLeftovers(sandbox.host),
  );
  expect(removed).toEqual(
    ['.gone.0.old', '.gone.link', '.web.1.new', '.x.0.1.new'].map((name) => `${checkouts}/${name}`),
  );
  expect(readdirSync(checkouts).sort()).toEqual(
    ['.atomic', '.busy.0.new', '.other', '.pending.0.new', '.web.2.new', 'orphan.0', 'web', 'web.0'].sort(),
  );
  expect(readdirSync(`${sandbox.locations.state}/locks`)).toEqual([]);
});

test('layers that the original has unpacked are removed with their refs', async () => {
  await using sandbox = await createSandbox();
  const { checkouts, repository } = sandbox.locations;
  expect(await removeUnpackedLayers(sandbox.host)).toEqual([]);
  const [kept, gone] = ['a'.repeat(64), 'b'.repeat(64)];
  mkdirSync(`${repository}/refs/heads/ociimage`, { recursive: true });
  writeFileSync(`${repository}/refs/heads/ociimage/${kept}`, `${'c'.repeat(64)}\n`);
  for (const name of [kept, gone, 'short'])
    mkdirSync(`${checkouts}/.storage/${name}/etc`, { recursive: true });
  expect(await removeUnpackedLayers(sandbox.host)).toEqual([`${checkouts}/.storage/${gone}`]);
  expect(readdirSync(`${checkouts}/.storage`).sort()).toEqual([kept, 'ostree', 'short']);
});
