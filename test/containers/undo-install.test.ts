/** Every state that an install can leave before its deployment is complete; later ones need systemd (test/host). */
import { expect, test } from 'bun:test';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { buildInstallJournal } from '../../src/containers/install/install-journal.ts';
import { noNewVolumes } from '../../src/containers/render/config/image-volumes.ts';
import { runSteps } from '../../src/containers/steps/run-steps.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';
import { diffSnapshots, takeSnapshot } from '../support/tree-snapshot.ts';

const journal = buildInstallJournal('etcd', 0, noNewVolumes);

/** The files of other containers and of the repository in CHECKOUTS, which must not change. */
async function writeNeighbours(sandbox: Sandbox): Promise<void> {
  const { checkouts } = sandbox.locations;
  await mkdir(`${checkouts}/.storage/ostree`, { recursive: true });
  await mkdir(`${checkouts}/etcd2.0/rootfs`, { recursive: true });
  await symlink(`${checkouts}/etcd2.0`, `${checkouts}/etcd2`);
  await mkdir(`${checkouts}/.etcd2.0.new`);
  await mkdir(`${checkouts}/.etcd.1.new`);
}

const states: Readonly<Record<string, (checkouts: string) => Promise<unknown>>> = {
  nothing: async () => undefined,
  'an empty folder': (checkouts) => mkdir(`${checkouts}/.etcd.0.new`),
  'half a checkout': async (checkouts) => {
    await mkdir(`${checkouts}/.etcd.0.new/rootfs/usr`, { recursive: true });
    await symlink('/etc', `${checkouts}/.etcd.0.new/rootfs/link`);
  },
  'all files but info': async (checkouts) => {
    await mkdir(`${checkouts}/.etcd.0.new/rootfs`, { recursive: true });
    await writeFile(`${checkouts}/.etcd.0.new/config.json`, '{}');
  },
};

test.each(Object.entries(states))('%s leaves nothing', async (_, write) => {
  await using sandbox = await createSandbox();
  await writeNeighbours(sandbox);
  const before = await takeSnapshot(sandbox.folder.path);
  await write(sandbox.locations.checkouts);
  await runSteps(sandbox.host, journal.back);
  expect(diffSnapshots(before, await takeSnapshot(sandbox.folder.path))).toEqual([]);
  await runSteps(sandbox.host, journal.back);
});

test("another container's symlink under the name of the deployment stays", async () => {
  await using sandbox = await createSandbox();
  const { checkouts } = sandbox.locations;
  await mkdir(`${checkouts}/etcd.0.0`, { recursive: true });
  await symlink(`${checkouts}/etcd.0.0`, `${checkouts}/etcd.0`);
  const before = await takeSnapshot(sandbox.folder.path);
  await runSteps(sandbox.host, journal.back);
  expect(diffSnapshots(before, await takeSnapshot(sandbox.folder.path))).toEqual([]);
});
