import { expect, test } from 'bun:test';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { listUsedImageIds } from '../../src/containers/image-users.ts';
import { buildInstallJournal } from '../../src/containers/install/install-journal.ts';
import { writeJournal } from '../../src/containers/journal.ts';
import { chooseStatus, listContainers } from '../../src/containers/list-containers.ts';
import { readContainer } from '../../src/containers/read-container.ts';
import { noNewVolumes } from '../../src/containers/render/config/image-volumes.ts';
import { isSystemdRunning } from '../../src/host/systemd/booted.ts';
import { plainRecord as record } from '../support/plain-record.ts';
import { createSandbox } from '../support/sandbox.ts';
import { writeDeployment } from './fake-deployment.ts';

const command = ['/usr/bin/etcd', '--flag'];
/** Of a container whose unit systemd does not know. */
const status = (await isSystemdRunning()) ? 'inactive' : 'no service';

test('a machine without containers', async () => {
  await using sandbox = await createSandbox();
  expect(await listContainers(sandbox.host)).toEqual([]);
  expect(await listUsedImageIds(sandbox.host)).toEqual(new Map());
});

test('containers by name; a name may end like a deployment', async () => {
  await using sandbox = await createSandbox();
  await writeDeployment(sandbox, 'web');
  await mkdir(`${sandbox.locations.checkouts}/web.1`);
  await writeDeployment(sandbox, 'x.0', { number: 1, config: '{}' });
  await writeDeployment(sandbox, 'files', {
    record: { ...record, revision: 'ef', hasContainerService: false },
  });
  await rm(`${sandbox.locations.checkouts}/files.0/config.json`);
  await mkdir(`${sandbox.locations.checkouts}/.web.0.new`);
  await mkdir(`${sandbox.locations.checkouts}/lost+found`);
  const withService = { kind: 'container', record, status, unitNotes: [] };
  expect(await listContainers(sandbox.host)).toEqual([
    {
      kind: 'container',
      name: 'files',
      record: { ...record, revision: 'ef', hasContainerService: false },
      command: [],
      status: 'no service',
      unitNotes: [],
      deployments: [
        { number: 0, isActive: true, record: { ...record, revision: 'ef', hasContainerService: false } },
      ],
    },
    { ...withService, name: 'web', command, deployments: [{ number: 0, isActive: true, record }] },
    { ...withService, name: 'x.0', command: [], deployments: [{ number: 1, isActive: true, record }] },
  ] as never);
  expect(await listUsedImageIds(sandbox.host)).toEqual(
    new Map([
      ['ef', ['files']],
      [record.revision, ['web', 'x.0']],
    ]),
  );
});

test('damaged containers are lines of their own', async () => {
  await using sandbox = await createSandbox();
  const { checkouts } = sandbox.locations;
  await writeDeployment(sandbox, 'a-good');
  await writeDeployment(sandbox, 'no-info');
  await rm(`${checkouts}/no-info.0/info`);
  await writeDeployment(sandbox, 'bad-info');
  await writeFile(`${checkouts}/bad-info.0/info`, '{');
  await symlink(`${checkouts}/dangling.0`, `${checkouts}/dangling`);
  await mkdir(`${checkouts}/only-folder.1`);
  const unreadable = [{ number: 0, isActive: true, record: undefined }] as const;
  expect(await listContainers(sandbox.host)).toEqual([
    {
      ...{ kind: 'container', name: 'a-good', record, command, status, unitNotes: [] },
      deployments: [{ number: 0, isActive: true, record }],
    },
    {
      kind: 'damaged',
      name: 'bad-info',
      reason: `Cannot read ${checkouts}/bad-info/info: line 1, column 2: unexpected end of the file`,
      deployments: unreadable,
    },
    {
      kind: 'damaged',
      name: 'dangling',
      reason: `there is no ${checkouts}/dangling.0/info`,
      deployments: unreadable,
    },
    {
      kind: 'damaged',
      name: 'no-info',
      reason: `there is no ${checkouts}/no-info.0/info`,
      deployments: unreadable,
    },
    {
      kind: 'damaged',
      name: 'only-folder',
      reason: `there is ${checkouts}/only-folder.1, but no symlink only-folder that names it`,
      deployments: [],
    },
  ]);
  expect(await listUsedImageIds(sandbox.host)).toEqual(new Map([[record.revision, ['a-good']]]));
});

test('both deployments of a container, the active one first', async () => {
  await using sandbox = await createSandbox();
  const older = { ...record, revision: 'ef'.repeat(32) };
  await writeDeployment(sandbox, 'web', { number: 0, record: older });
  await writeDeployment(sandbox, 'web', { number: 1 });
  const readDeployments = async () => (await listContainers(sandbox.host)).map((found) => found.deployments);
  expect(await readDeployments()).toEqual([
    [
      { number: 1, isActive: true, record },
      { number: 0, isActive: false, record: older },
    ],
  ]);
  await writeFile(`${sandbox.locations.checkouts}/web.0/info`, '{');
  expect((await readDeployments())[0]?.[1]).toEqual({ number: 0, isActive: false, record: undefined });
});

test('a deployment that an operation is building is not damaged', async () => {
  await using sandbox = await createSandbox();
  await mkdir(`${sandbox.locations.checkouts}/etcd.0`, { recursive: true });
  await writeJournal(sandbox.host, buildInstallJournal('etcd', 0, noNewVolumes));
  expect(await listContainers(sandbox.host)).toEqual([]);
});

test('a file in the place of the symlink is not a container', async () => {
  await using sandbox = await createSandbox();
  await mkdir(sandbox.locations.checkouts, { recursive: true });
  await writeFile(`${sandbox.locations.checkouts}/etcd`, '');
  expect(await readContainer(sandbox.host, 'etcd')).toEqual({ kind: 'absent' });
});

test.each([
  ['active', 'running'],
  ['reloading', 'running'],
  ['failed', 'failed'],
  ['activating', 'failed'],
  ['deactivating', 'failed'],
  ['inactive', 'inactive'],
])('%s is %s (compatibility L-08)', (activeState, status) => {
  expect<string>(chooseStatus({ loadState: 'loaded', activeState })).toBe(status);
});

test('a container without a service has no state', () => {
  expect(chooseStatus(undefined)).toBe('no service');
});
