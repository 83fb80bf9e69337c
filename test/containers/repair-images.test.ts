/** Every kind of damage is found, named, and repaired from the nearest source; `ostree fsck` then finds no damage. */

import { afterAll, beforeAll, beforeEach, expect, setDefaultTimeout, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  lstatSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { repairImages } from '../../src/containers/verify/repair-images.ts';
import { verifyImages } from '../../src/containers/verify/verify-images.ts';
import { toDigest } from '../../src/image/digest.ts';
import type { StoredImage } from '../../src/image/image.ts';
import { formatBlobRef, formatImageRef } from '../../src/image/ref-name.ts';
import { isSound, type ObjectKind, type StoreProblem } from '../../src/image/verified-image.ts';
import { findRef } from '../../src/ostree/object-files.ts';
import { readImage } from '../../src/store/find-image.ts';
import { pullImage } from '../../src/store/pull/pull.ts';
import { buildImage } from '../support/oci-image.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { pushImage } from '../support/registry-push.ts';
import type { Sandbox } from '../support/sandbox.ts';
import { describeTree } from '../support/store/describe-tree.ts';
import { createStore, TEST_TIMEOUT_MS } from '../support/store/store-fixture.ts';
import { tree } from '../support/tree.ts';
import { deploy, expectSound, findObject } from './verified-store.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

const base = tree`
  d usr 0755
  d usr/bin 0755
  f usr/bin/tool 04755 @1:2 the tool
  l usr/bin/again -> tool
  f usr/bin/same 04755 @1:2 the tool
  d usr/share 0711 @3:4
  f usr/share/hidden 0644 below
`;
const upper = tree`
  d etc 0755
  f etc/conf 0644 settings
  x etc/conf user.note=1
  f usr/share/hidden 0644 above
`;
const built = buildImage({ layers: [base, upper] });
const [baseDigest = '', upperDigest = ''] = built.layers.map(({ digest }) => digest);
const configDigest = built.config.digest;

let registry: Registry;
let store: Sandbox;
let image: StoredImage;
let rootfs: string;
let before: string[];
beforeAll(async () => {
  registry = await startRegistry();
  store = await createStore([registry]);
  image = (await pullImage(store.host, await pushImage(registry, 'repair/image', built), {})).image;
  rootfs = await deploy(store, image, 'web');
  before = describeTree(rootfs);
});
afterAll(async () => {
  await store.remove();
  await registry.stop();
});
beforeEach(() => registry.forgetRequests());

type Damage = Pick<StoreProblem, 'kind' | 'state' | 'paths' | 'layers' | 'isInRoot'>;
type Case = [title: string, damage: () => void, found: Damage[], fetched: string[]];

const object = (path: string, kind: ObjectKind = 'file') => findObject(store, image.commit, path, kind);
const layerObject = (digest: string, path: string, kind: ObjectKind = 'file') =>
  findObject(store, findRef(store.locations.repository, formatBlobRef(toDigest(digest))) ?? '', path, kind);
const refFile = (ref: string) => `${store.locations.repository}/refs/heads/${ref}`;
const flip = (path: string, at = 0) => {
  const data = readFileSync(path);
  data[at] = (data[at] ?? 0) ^ 1;
  writeFileSync(path, data);
};

const tool = { paths: ['/usr/bin/same', '/usr/bin/tool'], layers: [baseDigest], isInRoot: true };
const conf = { paths: ['/etc/conf'], layers: [upperDigest], isInRoot: true };
const none = { paths: [], layers: [], isInRoot: false };

const cases: Case[] = [
  [
    'a flipped byte of a file, through the hard link',
    () => flip(object('usr/bin/tool')),
    [{ kind: 'file', state: 'damaged', ...tool }],
    [baseDigest],
  ],
  [
    'a file cut to nothing',
    () => truncateSync(object('etc/conf'), 0),
    [{ kind: 'file', state: 'damaged', ...conf }],
    [upperDigest],
  ],
  [
    'the mode of a file',
    () => chmodSync(object('usr/bin/tool'), 0o755),
    [{ kind: 'file', state: 'damaged', ...tool }],
    [baseDigest],
  ],
  [
    'the owner of a file',
    () => chownSync(object('etc/conf'), 7, 7),
    [{ kind: 'file', state: 'damaged', ...conf }],
    [upperDigest],
  ],
  [
    'an extended attribute',
    () => void spawnSync('setfattr', ['-n', 'user.note', '-v', '2', object('etc/conf')]),
    [{ kind: 'file', state: 'damaged', ...conf }],
    [upperDigest],
  ],
  [
    'a lost file that a container still has',
    () => rmSync(object('usr/bin/tool')),
    [{ kind: 'file', state: 'missing', ...tool }],
    [],
  ],
  [
    'a symlink that leads elsewhere, of which a container has the right one',
    () => {
      const path = object('usr/bin/again');
      rmSync(path);
      symlinkSync('/etc/shadow', path);
    },
    [{ kind: 'file', state: 'damaged', paths: ['/usr/bin/again'], layers: [baseDigest], isInRoot: true }],
    [],
  ],
  [
    'a file that an upper layer hides',
    () => rmSync(layerObject(baseDigest, 'usr/share/hidden')),
    [{ kind: 'file', state: 'missing', paths: ['/usr/share/hidden'], layers: [baseDigest], isInRoot: false }],
    [baseDigest],
  ],
  [
    'a lost folder of a layer, and a damaged file in it',
    () => {
      flip(object('usr/bin/tool'));
      rmSync(object('usr/bin', 'dirtree'));
    },
    [{ kind: 'dirtree', state: 'missing', paths: ['/usr/bin'], layers: [baseDigest], isInRoot: true }],
    [baseDigest],
  ],
  [
    'a folder that the merge made',
    () => truncateSync(object('', 'dirtree'), 10),
    [{ kind: 'dirtree', state: 'damaged', paths: ['/'], layers: [], isInRoot: true }],
    [],
  ],
  [
    'the owner of a folder',
    () => rmSync(object('usr/share', 'dirmeta')),
    [{ kind: 'dirmeta', state: 'missing', paths: ['/usr/share'], layers: [baseDigest], isInRoot: true }],
    [baseDigest],
  ],
  [
    'the owner of every plain folder',
    () => flip(object('etc', 'dirmeta')),
    [
      {
        kind: 'dirmeta',
        state: 'damaged',
        paths: ['/', '/etc', '/usr', '/usr/bin'],
        layers: [baseDigest, upperDigest],
        isInRoot: true,
      },
    ],
    [],
  ],
  [
    'the commit of a layer',
    () => rmSync(layerObject(upperDigest, '', 'commit')),
    [{ kind: 'commit', state: 'missing', paths: [], layers: [upperDigest], isInRoot: false }],
    [upperDigest],
  ],
  [
    'the ref of a layer',
    () => rmSync(refFile(formatBlobRef(toDigest(baseDigest)))),
    [{ kind: 'ref', state: 'missing', paths: [], layers: [baseDigest], isInRoot: false }],
    [baseDigest],
  ],
  [
    'a ref of a layer that a power cut has emptied',
    () => truncateSync(refFile(formatBlobRef(toDigest(baseDigest))), 0),
    [{ kind: 'ref', state: 'damaged', paths: [], layers: [baseDigest], isInRoot: false }],
    [baseDigest],
  ],
  [
    'the configuration',
    () => flip(layerObject(configDigest, 'content')),
    [{ kind: 'file', state: 'damaged', ...none }],
    [configDigest],
  ],
  [
    'the ref of the configuration',
    () => rmSync(refFile(formatBlobRef(configDigest))),
    [{ kind: 'ref', state: 'missing', ...none }],
    [configDigest],
  ],
  [
    'the commit of the image, whose manifest can still be read',
    // The end of a commit is the checksum of its root and a few offsets.
    () => flip(object('', 'commit'), lstatSync(object('', 'commit')).size - 20),
    [{ kind: 'commit', state: 'damaged', ...none, isInRoot: true }],
    [],
  ],
  [
    'the commit of the image, lost',
    () => truncateSync(object('', 'commit'), 0),
    [{ kind: 'commit', state: 'damaged', ...none, isInRoot: true }],
    [],
  ],
  [
    'the ref of the image, emptied',
    () => truncateSync(refFile(formatImageRef(image.reference)), 0),
    [{ kind: 'ref', state: 'damaged', ...none, isInRoot: true }],
    [],
  ],
];

test.each(cases)('%s', async (_, damage, found, fetched) => {
  damage();
  const [verified] = (await verifyImages(store.host, [image.reference])).images;
  expect(
    verified?.problems.map(({ kind, state, paths, layers, isInRoot }) => ({
      kind,
      state,
      paths,
      layers,
      isInRoot,
    })),
  ).toEqual(found);
  expect(await registry.blobGets()).toEqual([]);
  const [repair] = (await repairImages(store.host, [image.reference], {})).repairs;
  expect(repair?.failure).toBeUndefined();
  expect(repair !== undefined && isSound(repair.after)).toBe(true);
  expect(await registry.blobGets()).toEqual(fetched);
  image = await readImage(store.host, image.reference);
  expect(image.id).toBe(built.manifest.digest.slice('sha256:'.length));
  expect(describeTree(rootfs)).toEqual(before);
  await expectSound(store, [rootfs]);
});
