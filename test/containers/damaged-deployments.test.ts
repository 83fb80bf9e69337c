/** Containers whose files have changed, and damage that concerns several images or cannot be repaired. */

import { afterAll, beforeAll, beforeEach, expect, setDefaultTimeout, test } from 'bun:test';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import type { ProgressEvent } from '../../src/base/events.ts';
import { listDeployments } from '../../src/containers/list-deployments.ts';
import { repairImages } from '../../src/containers/verify/repair-images.ts';
import { verifyImages } from '../../src/containers/verify/verify-images.ts';
import { toDigest } from '../../src/image/digest.ts';
import type { StoredImage } from '../../src/image/image.ts';
import { type DeploymentProblem, isSound } from '../../src/image/verified-image.ts';
import { pullImage } from '../../src/store/pull/pull.ts';
import { buildImage } from '../support/oci-image.ts';
import { writeLayout } from '../support/oci-layout.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { pushImage } from '../support/registry-push.ts';
import type { Sandbox } from '../support/sandbox.ts';
import { describeTree } from '../support/store/describe-tree.ts';
import { inodeOf, ostree } from '../support/store/ostree-cli.ts';
import { createStore, TEST_TIMEOUT_MS } from '../support/store/store-fixture.ts';
import { tree } from '../support/tree.ts';
import { deploy, expectSound, findObject, replaceFile } from './verified-store.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

const base = tree`
  d usr 0755
  d usr/bin 0750 @1:2
  f usr/bin/tool 0755 the tool
  l usr/bin/again -> tool
  d usr/lib 0755
  f usr/lib/library 0644 the library
`;
const first = buildImage({ layers: [base, tree`f etc/version 0644 1`] });
const second = buildImage({ layers: [base, tree`f etc/version 0644 2`] });
const baseDigest = toDigest(first.layers[0]?.digest ?? '');

let registry: Registry;
beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(() => registry.stop());
beforeEach(() => registry.forgetRequests());

async function open(
  name = 'deployed/image',
): Promise<{ store: Sandbox; image: StoredImage; rootfs: string }> {
  const store = await createStore([registry]);
  const { image } = await pullImage(store.host, await pushImage(registry, name, first), {});
  return { store, image, rootfs: await deploy(store, image, 'web') };
}

const missing = 'it is not there';
const changed = 'it is not the file of the image';
const noFolder = 'it is no longer a folder';

const cases: [title: string, damage: (rootfs: string) => void, found: DeploymentProblem[]][] = [
  [
    'a file that is gone',
    (root) => rmSync(`${root}/usr/bin/tool`),
    [{ path: '/usr/bin/tool', state: 'missing', reason: missing }],
  ],
  [
    'a file that another one has replaced',
    (root) => replaceFile(`${root}/usr/bin/tool`, 'forged'),
    [{ path: '/usr/bin/tool', state: 'changed', reason: changed }],
  ],
  [
    'a copy with another mode',
    (root) => {
      copyFileSync(`${root}/usr/bin/tool`, `${root}/copy`);
      chmodSync(`${root}/copy`, 0o700);
      renameSync(`${root}/copy`, `${root}/usr/bin/tool`);
    },
    [{ path: '/usr/bin/tool', state: 'changed', reason: changed }],
  ],
  [
    'a symlink that leads elsewhere',
    (root) => {
      rmSync(`${root}/usr/bin/again`);
      symlinkSync('/etc/passwd', `${root}/usr/bin/again`);
    },
    [{ path: '/usr/bin/again', state: 'changed', reason: changed }],
  ],
  [
    'a folder that is gone',
    (root) => rmSync(`${root}/usr`, { recursive: true }),
    [{ path: '/usr', state: 'missing', reason: missing }],
  ],
  [
    'everything gone',
    (root) => rmSync(root, { recursive: true }),
    [{ path: '/', state: 'missing', reason: missing }],
  ],
  [
    'a symlink to the host where a folder was: nothing behind it is touched',
    (root) => {
      rmSync(`${root}/usr/bin`, { recursive: true });
      symlinkSync(`${root}/../../outside`, `${root}/usr/bin`);
    },
    [{ path: '/usr/bin', state: 'changed', reason: noFolder }],
  ],
  [
    'a file where a folder was',
    (root) => replaceFile(`${root}/usr/lib`, ''),
    [{ path: '/usr/lib', state: 'changed', reason: noFolder }],
  ],
  [
    'a folder where a file was',
    (root) => {
      rmSync(`${root}/usr/bin/tool`);
      mkdirSync(`${root}/usr/bin/tool/deep`, { recursive: true });
    },
    [{ path: '/usr/bin/tool', state: 'changed', reason: 'it is no longer a file' }],
  ],
  [
    'the mode of a folder',
    (root) => chmodSync(`${root}/usr/bin`, 0o777),
    [{ path: '/usr/bin', state: 'changed', reason: 'its mode and owner are 0777 1:2, not 0750 1:2' }],
  ],
];

test('files of containers', async () => {
  const { store, image, rootfs } = await open();
  await using _ = store;
  mkdirSync(`${store.locations.checkouts}/outside`);
  const before = describeTree(rootfs);
  await registry.forgetRequests();
  for (const [title, damage, found] of cases) {
    damage(rootfs);
    const [verified] = (await verifyImages(store.host, [image.reference])).images;
    expect([title, verified?.deployments]).toEqual([
      title,
      [{ container: 'web', number: 0, files: expect.any(Number), problems: found, damagedLinks: [] }],
    ]);
    const [repair] = (await repairImages(store.host, [], {})).repairs;
    expect([title, repair?.failure, repair?.replacedFiles]).toEqual([
      title,
      undefined,
      new Map([['web', 1]]),
    ]);
    expect([title, describeTree(rootfs)]).toEqual([title, before]);
    await expectSound(store, [rootfs]);
  }
  expect(await registry.requests()).toEqual([]);
});

test('additional files of a container are named and stay; mount points of runtimes are ignored', async () => {
  const { store, image, rootfs } = await open();
  await using _ = store;
  mkdirSync(`${rootfs}/run/web/deep`, { recursive: true });
  writeFileSync(`${rootfs}/run/resolv.conf`, '');
  writeFileSync(`${rootfs}/usr/bin/note`, 'of the administrator');
  const [verified] = (await verifyImages(store.host, [image.id.slice(0, 10)])).images;
  expect(verified?.deployments[0]?.problems).toEqual([
    { path: '/usr/bin/note', state: 'additional', reason: 'it is not in the image' },
  ]);
  expect(verified !== undefined && isSound(verified)).toBe(true);
  replaceFile(`${rootfs}/usr/bin/tool`, 'forged');
  await repairImages(store.host, [], {});
  expect(readFileSync(`${rootfs}/usr/bin/note`, 'utf8')).toBe('of the administrator');
  expect(readFileSync(`${rootfs}/usr/bin/tool`, 'utf8')).toBe('the tool');
});

test('an equal copy of a file counts as sound, and replaces an object that the store has lost', async () => {
  const { store, image, rootfs } = await open();
  await using _ = store;
  const object = findObject(store, image.commit, 'usr/bin/tool', 'file');
  copyFileSync(object, `${rootfs}/usr/bin/tool.copy`);
  chmodSync(`${rootfs}/usr/bin/tool.copy`, 0o755);
  renameSync(`${rootfs}/usr/bin/tool.copy`, `${rootfs}/usr/bin/tool`);
  expect((await verifyImages(store.host, [])).images.every(isSound)).toBe(true);
  rmSync(object);
  await registry.forgetRequests();
  const [repair] = (await repairImages(store.host, [], {})).repairs;
  expect(repair).toMatchObject({ fetchedLayers: [], takenFromDeployments: 1, failure: undefined });
  expect(await registry.requests()).toEqual([]);
  await expectSound(store, [rootfs]);
});

test('damage of two images and their containers is reported for both and fetched once, by the digest', async () => {
  const { store, image, rootfs } = await open('shared/one');
  await using _ = store;
  const other = (await pullImage(store.host, await pushImage(registry, 'shared/two', second), {})).image;
  const roots = [rootfs, await deploy(store, other, 'other')];
  const running = `${store.locations.checkouts}/open`;
  linkSync(`${rootfs}/usr/bin/tool`, running);
  writeFileSync(`${rootfs}/usr/bin/tool`, 'written through the hard link');
  // The tags move; a repair concerns the stored image.
  await pushImage(registry, 'shared/one', buildImage({ layers: [tree`f new 0644 1`] }));
  await registry.forgetRequests();
  const { images: verified } = await verifyImages(store.host, []);
  const tool = [{ kind: 'file', state: 'damaged', paths: ['/usr/bin/tool'], layers: [baseDigest] }];
  expect(verified).toMatchObject([
    { reference: image.reference, problems: tool, deployments: [{ container: 'web', problems: [] }] },
    { reference: other.reference, problems: tool, deployments: [{ container: 'other', problems: [] }] },
  ]);
  const repairs = (await repairImages(store.host, [image.reference], {})).repairs;
  expect(repairs.map(({ fetchedLayers, replacedFiles }) => ({ fetchedLayers, replacedFiles }))).toEqual([
    // The other image was not asked for, but its container had the damaged file, too.
    {
      fetchedLayers: [baseDigest],
      replacedFiles: new Map([
        ['other', 1],
        ['web', 1],
      ]),
    },
  ]);
  expect(await registry.blobGets()).toEqual([baseDigest]);
  const object = findObject(store, image.commit, 'usr/bin/tool', 'file');
  expect(roots.map((root) => inodeOf(`${root}/usr/bin/tool`))).toEqual([inodeOf(object), inodeOf(object)]);
  expect(statSync(object).nlink).toBe(3);
  // A process that had the file open keeps the old file.
  expect(readFileSync(running, 'utf8')).toBe('written through the hard link');
  await expectSound(store, roots);
});

test('without the registry the damage does not grow, and the local sources are used', async () => {
  const gone = await startRegistry();
  await using store = await createStore([gone]);
  const { image } = await pullImage(store.host, await pushImage(gone, 'gone/image', first), {});
  const rootfs = await deploy(store, image, 'web');
  await gone.stop();
  const tool = findObject(store, image.commit, 'usr/bin/tool', 'file');
  writeFileSync(tool, 'damaged');
  rmSync(findObject(store, image.commit, 'usr/lib/library', 'file'));
  rmSync(`${rootfs}/usr/bin/again`);
  const [repair] = (await repairImages(store.host, [image.reference], {})).repairs;
  expect(repair?.failure).toContain('connection refused');
  expect(repair).toMatchObject({
    takenFromDeployments: 1,
    fetchedLayers: [],
    replacedFiles: new Map([['web', 1]]),
    after: {
      problems: [{ kind: 'file', state: 'damaged', paths: ['/usr/bin/tool'] }],
      deployments: [{ container: 'web', problems: [] }],
    },
  });
  expect(readFileSync(tool, 'utf8')).toBe('damaged');
  expect(existsSync(`${store.locations.repository}/tmp/atomic-scratch-repair`)).toBe(false);
});

test('an image that its registry no longer has does not change', async () => {
  const { store, image } = await open('lost/image');
  await using _ = store;
  writeFileSync(findObject(store, image.commit, 'etc/version', 'file'), 'damaged');
  await fetch(`http://${registry.address}/v2/lost/image/manifests/sha256:${image.id}`, { method: 'DELETE' });
  const [repair] = (await repairImages(store.host, [image.reference], {})).repairs;
  expect(repair?.failure).toContain('manifest unknown');
  expect(repair?.after.problems).toEqual(repair?.before.problems ?? []);
});

test('an image from a folder is repaired from there, as long as it is the same image', async () => {
  await using store = await createStore([registry]);
  const layout = store.folder.join('layout');
  const location = await writeLayout(layout, first);
  const { image } = await pullImage(store.host, location, {}, 'local:latest');
  const damage = () => writeFileSync(findObject(store, image.commit, 'etc/version', 'file'), 'damaged');
  damage();
  await registry.forgetRequests();
  expect((await repairImages(store.host, [], {})).repairs).toMatchObject([
    { failure: undefined, fetchedLayers: [first.layers[1]?.digest] },
  ]);
  expect(await registry.requests()).toEqual([]);
  await expectSound(store, []);
  damage();
  await writeLayout(layout, second);
  const [repair] = (await repairImages(store.host, [], {})).repairs;
  expect(repair?.failure).toBe(
    `opening ${location}: it is ${second.manifest.digest} now, not ${first.manifest.digest}`,
  );
});

test('a container of the original tool is not compared with an image whose layers are not known', async () => {
  const { store, image, rootfs } = await open('original/image');
  await using _ = store;
  const original = store.folder.join('original');
  mkdirSync(original);
  writeFileSync(`${original}/manifest.json`, '{}');
  const commit = ostree(store, 'commit', '--branch=original', original).trim();
  const info = `${rootfs}/../info`;
  const { 'ostree-commit': _commit, ...others } = JSON.parse(readFileSync(info, 'utf8'));
  writeFileSync(info, JSON.stringify({ ...others, 'ostree-commit': commit }));
  const [verified] = (await verifyImages(store.host, [image.reference])).images;
  expect(verified?.deployments).toEqual([
    { container: 'web', number: 0, files: 0, problems: [], damagedLinks: [] },
  ]);
});

test('a container whose image name means a newer image is verified and repaired, too', async () => {
  const { store, image, rootfs } = await open('moved/image');
  await using _ = store;
  await pushImage(registry, 'moved/image', second);
  const newer = (await pullImage(store.host, image.reference, {})).image;
  expect(newer.commit).not.toBe(image.commit);
  truncateSync(findObject(store, image.commit, 'etc/version', 'file'), 0);
  const { images: verified } = await verifyImages(store.host, []);
  expect(verified.map(({ id, problems, deployments }) => [id, problems.length, deployments.length])).toEqual([
    [newer.id, 0, 0],
    [image.id, 1, 1],
  ]);
  await registry.forgetRequests();
  await repairImages(store.host, [], {});
  expect(await registry.blobGets()).toEqual([toDigest(first.layers[1]?.digest ?? '')]);
  await expectSound(store, [rootfs]);
});

test('a lost commit of an image: info names the new one', async () => {
  const { store, image, rootfs } = await open('commit/image');
  await using _ = store;
  rmSync(findObject(store, image.commit, '', 'commit'));
  await registry.forgetRequests();
  expect((await repairImages(store.host, [], {})).repairs.map(({ failure }) => failure)).toEqual([undefined]);
  expect(await registry.blobGets()).toEqual([]);
  const [deployment] = await listDeployments(store.host);
  const [verified] = (await verifyImages(store.host, [])).images;
  expect(verified?.id).toBe(image.id);
  expect(deployment?.record).toMatchObject({ revision: image.id, image: image.reference });
  expect(lstatSync(findObject(store, deployment?.record.ostreeCommit ?? '', '', 'commit')).isFile()).toBe(
    true,
  );
  await expectSound(store, [rootfs]);
});

test('info that names a missing commit, as after a killed repair', async () => {
  const { store, image, rootfs } = await open('info/image');
  await using _ = store;
  const info = `${rootfs}/../info`;
  const whole = readFileSync(info, 'utf8');
  writeFileSync(info, whole.replace(image.commit, 'f'.repeat(64)));
  const [verified] = (await verifyImages(store.host, [])).images;
  expect(verified?.deployments[0]?.problems).toEqual([
    { path: 'info', state: 'changed', reason: 'it names a commit that is not in the store' },
  ]);
  await repairImages(store.host, [], {});
  expect(readFileSync(info, 'utf8')).toBe(whole);
  await expectSound(store, [rootfs]);
});

test('the next repair removes the remains of a killed repair, also when there is nothing to repair', async () => {
  const { store, rootfs } = await open('killed/image');
  await using _ = store;
  const { checkouts, repository } = store.locations;
  mkdirSync(`${repository}/tmp/atomic-scratch-repair/repository/objects`, { recursive: true });
  writeFileSync(`${checkouts}/.web.0.fix`, '');
  mkdirSync(`${checkouts}/.other.1.fix/usr`, { recursive: true });
  await repairImages(store.host, [], {});
  expect(existsSync(`${repository}/tmp/atomic-scratch-repair`)).toBe(false);
  await expectSound(store, [rootfs]);
});

test('a verification reports its progress, and ends between two objects when it is interrupted', async () => {
  const { store } = await open('steps/image');
  await using _ = store;
  store.events.length = 0;
  await verifyImages(store.host, []);
  expect(store.events.at(0)).toEqual({ kind: 'step', text: 'Verifying: 1 object, 0 MB' });
  expect(store.events.at(-1)).toEqual({ kind: 'step', text: 'Verifying the files of web' });
  store.interrupt();
  expect(verifyImages(store.host, [])).rejects.toMatchObject({ code: 'INTERRUPTED' });
});

test('a file of the host behind a symlink of a container never becomes an object', async () => {
  const { store, image, rootfs } = await open('donor/image');
  await using _ = store;
  const outside = `${store.locations.checkouts}/outside`;
  renameSync(`${rootfs}/usr`, outside);
  symlinkSync(outside, `${rootfs}/usr`);
  rmSync(findObject(store, image.commit, 'usr/bin/tool', 'file'));
  const [repair] = (await repairImages(store.host, [], {})).repairs;
  expect(repair).toMatchObject({ takenFromDeployments: 0, fetchedLayers: [baseDigest], failure: undefined });
  expect(inodeOf(`${outside}/bin/tool`)).not.toBe(inodeOf(`${rootfs}/usr/bin/tool`));
  await expectSound(store, [rootfs]);
});

test('without a store there is nothing to verify, and none is created', async () => {
  await using store = await createStore([]);
  expect((await verifyImages(store.host, [])).images).toEqual([]);
  expect((await repairImages(store.host, [], {})).repairs).toEqual([]);
  expect(existsSync(store.locations.repository)).toBe(false);
  expect(verifyImages(store.host, ['etcd'])).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND' });
});

test('a repository of the mode bare-user', async () => {
  await using store = await createStore([registry], { repositoryMode: 'bare-user' });
  const { image } = await pullImage(store.host, await pushImage(registry, 'user/image', first), {});
  await expectSound(store, []);
  const object = findObject(store, image.commit, 'usr/bin/again', 'file');
  writeFileSync(object, 'elsewhere');
  const [verified] = (await verifyImages(store.host, [])).images;
  expect(verified?.problems.map(({ paths }) => paths)).toEqual([['/usr/bin/again']]);
  expect((await repairImages(store.host, [], {})).repairs.map(({ failure }) => failure)).toEqual([undefined]);
  await expectSound(store, []);
});

test('a container that is uninstalled at any point of its verification is left out', async () => {
  const { store, image } = await open('leaving/image');
  await using _ = store;
  const { checkouts } = store.locations;
  await deploy(store, image, 'staying');
  for (const point of ['moved', 'half removed', 'removed', 'installed again'] as const) {
    await deploy(store, image, 'leaving');
    const folder = `${checkouts}/leaving.0`;
    const report = (event: ProgressEvent): void => {
      if (event.kind !== 'step' || event.text !== 'Verifying the files of leaving') return;
      rmSync(`${checkouts}/leaving`);
      renameSync(folder, `${checkouts}/.leaving.0.old`);
      if (point !== 'moved') rmSync(`${checkouts}/.leaving.0.old/rootfs/usr/bin`, { recursive: true });
      if (point === 'removed') rmSync(`${checkouts}/.leaving.0.old`, { recursive: true });
      if (point !== 'installed again') return;
      mkdirSync(`${folder}/rootfs`, { recursive: true });
      copyFileSync(`${checkouts}/staying.0/info`, `${folder}/info`);
    };
    const { images, unreadable } = await verifyImages({ ...store.host, report }, []);
    expect(unreadable).toEqual([]);
    expect(images.map(isSound)).toEqual(images.map(() => true));
    const verified = images.flatMap(({ deployments }) => deployments.map(({ container }) => container));
    expect(verified).not.toContain('leaving');
    expect(verified).toContain('staying');
    rmSync(`${checkouts}/.leaving.0.old`, { recursive: true, force: true });
    rmSync(folder, { recursive: true, force: true });
  }
});

test('only a container that has the damaged file itself is concerned', async () => {
  const { store, image, rootfs } = await open('concerned/image');
  await using _ = store;
  const copied = await deploy(store, image, 'copied');
  const tool = `${copied}/usr/bin/tool`;
  copyFileSync(tool, `${tool}.copy`);
  chmodSync(`${tool}.copy`, 0o755);
  renameSync(`${tool}.copy`, tool);
  writeFileSync(`${rootfs}/usr/bin/tool`, 'not a tool');
  const [verified] = (await verifyImages(store.host, [])).images;
  const checksums = verified?.problems.map(({ name }) => name) ?? [];
  expect(verified?.deployments.map(({ container, damagedLinks }) => [container, damagedLinks])).toEqual([
    ['copied', []],
    ['web', checksums],
  ]);
});

test('a container that is installed before the locks are held is repaired too', async () => {
  const { store, rootfs } = await open('meanwhile/image');
  await using _ = store;
  const { checkouts, repository } = store.locations;
  const holder = spawn(
    'flock',
    ['--no-fork', '--shared', `${repository}/atomic.lock`, 'sh', '-c', 'echo locked; read answer'],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  await once(holder.stdout, 'data');
  truncateSync(`${rootfs}/usr/lib/library`, 0);
  const install = (name: string): void => {
    cpSync(`${checkouts}/web.0`, `${checkouts}/${name}.0`, { recursive: true });
    rmSync(`${checkouts}/${name}.0/rootfs/usr/lib/library`);
    linkSync(`${rootfs}/usr/lib/library`, `${checkouts}/${name}.0/rootfs/usr/lib/library`);
    symlinkSync(`${checkouts}/${name}.0`, `${checkouts}/${name}`);
  };
  const report = (event: ProgressEvent): void => {
    if (
      event.kind === 'step' &&
      event.text === 'Verifying the files of web' &&
      !existsSync(`${checkouts}/early`)
    )
      install('early');
    if (event.kind !== 'waiting') return;
    install('late');
    holder.kill('SIGKILL');
  };
  const [repair] = (await repairImages({ ...store.host, report }, [], {})).repairs;
  expect([repair?.failure, [...(repair?.replacedFiles.keys() ?? [])]]).toEqual([
    undefined,
    ['early', 'late', 'web'],
  ]);
  for (const name of ['early', 'late', 'web']) {
    expect(readFileSync(`${checkouts}/${name}/rootfs/usr/lib/library`, 'utf8')).toBe('the library');
  }
});
