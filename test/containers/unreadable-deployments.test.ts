/** A container whose `info` cannot be read must not lose its files, and must not block commands for ever. */
import { afterAll, beforeAll, beforeEach, expect, setDefaultTimeout, test } from 'bun:test';
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { planDeletion, requireUnused } from '../../src/containers/cleanup/delete-images.ts';
import { pruneStore } from '../../src/containers/cleanup/prune-store.ts';
import { writeJournal } from '../../src/containers/journal.ts';
import { buildUninstallJournal } from '../../src/containers/uninstall/uninstall-journal.ts';
import { repairImages } from '../../src/containers/verify/repair-images.ts';
import { verifyImages } from '../../src/containers/verify/verify-images.ts';
import type { StoredImage } from '../../src/image/image.ts';
import { type DeploymentProblem, isSound } from '../../src/image/verified-image.ts';
import { removeImageNames } from '../../src/ostree/write-refs.ts';
import { pullImage } from '../../src/store/pull/pull.ts';
import { buildImage } from '../support/oci-image.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { pushImage } from '../support/registry-push.ts';
import type { Sandbox } from '../support/sandbox.ts';
import { createStore, TEST_TIMEOUT_MS } from '../support/store/store-fixture.ts';
import { tree } from '../support/tree.ts';
import { deploy } from './verified-store.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

let registry: Registry;
let pushed: string;
let store: Sandbox;
let image: StoredImage;
let folder: string;
beforeAll(async () => {
  registry = await startRegistry();
  pushed = await pushImage(registry, 'unreadable/image', buildImage({ layers: [tree`f tool 0755 a tool`] }));
});
afterAll(() => registry.stop());
beforeEach(async () => {
  store = await createStore([registry]);
  image = (await pullImage(store.host, pushed, {})).image;
  folder = dirname(await deploy(store, image, 'web'));
});

const listObjects = () =>
  readdirSync(`${store.locations.repository}/objects`, { recursive: true, encoding: 'utf8' }).sort();
const refuse = async () => requireUnused(store.host, await planDeletion(store.host, { kind: 'all' }));
const readDamage = async () =>
  (await verifyImages(store.host, [])).unreadable.map(({ container, number, problems }) => [
    `${container}.${number}`,
    ...problems,
  ]);
const uninstall = (info: string) =>
  `remove the container with \`atomic uninstall web\` (install it again afterwards), or restore ${info} from a backup`;

type State = DeploymentProblem['state'];
const damages: [title: string, damage: (info: string) => void, state: State, reason: string][] = [
  ['is empty', (info) => truncateSync(info, 0), 'changed', 'it is empty'],
  ['is missing', (info) => rmSync(info), 'missing', 'it is not there'],
  [
    'is cut',
    (info) => writeFileSync(info, '{"image": "x'),
    'changed',
    'line 1, column 13: unexpected end of the file',
  ],
  [
    'is zeros',
    (info) => writeFileSync(info, '\0'.repeat(40)),
    'changed',
    'line 1, column 1: unexpected character U+0000',
  ],
  [
    'is a folder',
    (info) => {
      rmSync(info);
      mkdirSync(info);
    },
    'changed',
    'it cannot be read (EISDIR)',
  ],
  ['names nothing', (info) => writeFileSync(info, '{}'), 'changed', 'it does not say which image it is'],
  [
    'names half a commit',
    (info) => writeFileSync(info, readFileSync(info, 'utf8').replace(image.commit, 'abc')),
    'changed',
    'it does not say which image it is',
  ],
];

test.each(damages)(
  'an info that %s: nothing is freed or deleted, and it is damage',
  async (_, damage, state, reason) => {
    await using _store = store;
    const info = `${folder}/info`;
    damage(info);
    await expect(refuse()).rejects.toMatchObject({
      code: 'CONTAINER_DAMAGED',
      message: `deleting images: the container web is damaged: ${info}: ${reason}`,
      hint: `Nothing was deleted, because its image is unknown (-f deletes anyway): ${uninstall(info)}; then repeat the command.`,
    });
    await removeImageNames(store.host, [image.reference]);
    const before = listObjects();
    mkdirSync(`${store.locations.checkouts}/.other.0.new`);
    await expect(pruneStore(store.host)).rejects.toMatchObject({
      code: 'CONTAINER_DAMAGED',
      message: `pruning the image store: the container web is damaged: ${info}: ${reason}`,
      hint: `Nothing was freed, because its image is unknown: ${uninstall(info)}; then repeat the command.`,
    });
    expect(listObjects()).toEqual(before);
    expect(readdirSync(store.locations.checkouts)).toContain('.other.0.new');
    expect(await readDamage()).toEqual([['web.0', { path: 'info', state, reason }]]);
    expect((await repairImages(store.host, [], {})).unreadable).toHaveLength(1);
  },
);

test('a folder that is not a deployment prevents nothing', async () => {
  await using _store = store;
  const { checkouts } = store.locations;
  mkdirSync(`${checkouts}/backup.1/data`, { recursive: true });
  mkdirSync(`${checkouts}/empty.0`);
  mkdirSync(`${checkouts}/.half.0.new/rootfs`, { recursive: true });
  writeFileSync(`${checkouts}/note.0`, 'a file');
  symlinkSync(`${checkouts}/gone.0`, `${checkouts}/gone`);
  expect(await readDamage()).toEqual([]);
  await pruneStore(store.host);
  const { images } = await verifyImages(store.host, []);
  expect(images.map(isSound)).toEqual([true]);
  await expect(refuse()).rejects.toMatchObject({ code: 'IMAGE_IN_USE' });
});

test('an empty folder that a container names is what is left of it', async () => {
  await using _store = store;
  const { checkouts } = store.locations;
  mkdirSync(`${checkouts}/emptied.1`);
  symlinkSync('emptied.1', `${checkouts}/emptied`);
  expect(await readDamage()).toEqual([
    ['emptied.1', { path: 'info', state: 'missing', reason: 'it is not there' }],
  ]);
  await expect(pruneStore(store.host)).rejects.toMatchObject({ code: 'CONTAINER_DAMAGED' });
});

test('an image that keeps a name, and no image at all, may be deleted', async () => {
  await using _store = store;
  await pullImage(store.host, pushed, {}, 'again:1');
  truncateSync(`${folder}/info`, 0);
  await requireUnused(store.host, await planDeletion(store.host, { kind: 'written', words: ['again:1'] }));
  await expect(refuse()).rejects.toMatchObject({ code: 'CONTAINER_DAMAGED' });
  await removeImageNames(store.host, ['again:1', image.reference]);
  await refuse();
});

test('the remedies: for remains of a rollback, after a crash, for a name that no container can have', async () => {
  await using _store = store;
  const { checkouts } = store.locations;
  cpSync(folder, `${checkouts}/web.1`, { recursive: true });
  truncateSync(`${checkouts}/web.1/info`, 0);
  mkdirSync(`${checkouts}/killed.0/rootfs`, { recursive: true });
  await writeJournal(
    store.host,
    buildUninstallJournal(
      { name: 'killed', hasService: true, runtime: null, wasActive: false, volumes: [], ownFolders: [] },
      [],
    ),
  );
  mkdirSync(`${checkouts}/my web.0/rootfs`, { recursive: true });
  const { unreadable } = await verifyImages(store.host, []);
  expect(unreadable.map(({ container, number, remedy }) => [`${container}.${number}`, remedy])).toEqual([
    ['killed.0', 'an operation on it was interrupted or still runs: `atomic recover`'],
    ['my web.0', `it is not a container of atomic: move ${checkouts}/my web.0 elsewhere`],
    ['web.1', `remove that deployment, which the container does not run from: \`rm -r ${checkouts}/web.1\``],
  ]);
});
