/** Mounts of images that the kernel or libostree would not show as they are. */

import { afterAll, afterEach, beforeAll, beforeEach, expect, setDefaultTimeout, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, unlinkSync } from 'node:fs';
import { mountSubject } from '../../../src/containers/mount.ts';
import { removeTree } from '../../../src/host/files/remove-tree.ts';
import type { Host } from '../../../src/host/host.ts';
import { toChecksum } from '../../../src/image/checksum.ts';
import { formatObjectPath, readCommit, readDirTree } from '../../../src/ostree/object-files.ts';
import { checkoutImage } from '../../../src/store/checkout/checkout.ts';
import { listRecordedMounts, removeEndedMounts } from '../../../src/store/mount/mount-folder.ts';
import { pullImage } from '../../../src/store/pull/pull.ts';
import { type Registry, startRegistry } from '../../support/registry.ts';
import type { Sandbox } from '../../support/sandbox.ts';
import { describeTree } from '../../support/store/describe-tree.ts';
import { checkOut, createStore, pushNew, TEST_TIMEOUT_MS } from '../../support/store/store-fixture.ts';
import { tree } from '../../support/tree.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

/** Version, length and flags, as overlayfs writes it; a value of length 0 is refused when an image is stored. */
const metacopy = Buffer.from([0, 4, 0, 0]);

let registry: Registry;
let store: Sandbox;
let host: Host;
beforeAll(async () => {
  registry = await startRegistry();
  store = await createStore([registry]);
  host = store.host;
});
afterAll(async () => {
  await store.remove();
  await registry.stop();
});

let at = '';
let count = 0;
beforeEach(() => {
  count += 1;
  at = store.folder.join(`point-${count}`);
  mkdirSync(at);
});
afterEach(async () => {
  spawnSync('umount', [at]);
  await removeEndedMounts(host);
});

test.each(['trusted', 'user'])(
  'files with attributes of overlays in the namespace %s are shown as they are',
  async (namespace) => {
    const hostile = await pushNew(registry, {
      layers: [
        tree`
        f claims 0644 own
        x claims ${namespace}.overlay.metacopy=${metacopy}
        x claims ${namespace}.overlay.redirect=/etc/passwd
        f short 0644 own
        x short ${namespace}.overlay.metacopy=x
        d deep 0755
        f deep/kept 0644 own
        f deep/gone 0644
        x deep/gone ${namespace}.overlay.whiteout=y
        f other 0644 other
      `,
      ],
    });
    const pulled = await pullImage(host, hostile, {});
    await mountSubject(host, { subject: hostile, directory: at, options: [] });
    const stored = describeTree(await checkOut(store, pulled));
    const withoutAttributes = (lines: readonly string[]): string[] =>
      lines.map((line) => line.replaceAll(/ (?:trusted|user)\.overlay\.\S+/g, ''));
    expect(withoutAttributes(describeTree(at))).toEqual(withoutAttributes(stored));
    expect(readFileSync(`${at}/claims`, 'utf8')).toBe('own');
    expect(readFileSync(`${at}/deep/gone`, 'utf8')).toBe('');
  },
);

test('files with attributes of overlays in both namespaces: the mount says that it cannot show them', async () => {
  const hostile = await pushNew(registry, {
    layers: [
      tree`
        f one 0644 own
        x one trusted.overlay.metacopy=${metacopy}
        d deep 0755
        f deep/other 0644 own
        x deep/other user.overlay.metacopy=${metacopy}
      `,
    ],
  });
  await pullImage(host, hostile, {});
  const mounted = mountSubject(host, { subject: hostile, directory: at, options: [] });
  expect(await mounted.catch((error) => error)).toMatchObject({
    code: 'MOUNT_FAILED',
    message: `Could not mount ${hostile}: no overlay shows both /one and /deep/other, which have attributes trusted.overlay and user.overlay`,
  });
  expect([readdirSync(at), await listRecordedMounts(host)]).toEqual([[], []]);
});

test('folders as deep as a layer may have them, and a path as long as the kernel takes one', async () => {
  const deep = `${'d/'.repeat(1000)}f`;
  const long = Array.from({ length: 16 }, () => 'n'.repeat(255)).join('/');
  const image = await pushNew(registry, {
    layers: [
      [
        { path: deep, content: 'x' },
        { path: long, content: 'y', xattrs: { 'trusted.overlay.metacopy': metacopy } },
      ],
    ],
  });
  const { commit } = (await pullImage(host, image, {})).image;
  await mountSubject(host, { subject: image, directory: at, options: [] });
  let folder = at;
  // Both are longer than a path of the host may be.
  for (const name of long.split('/').slice(0, 12)) folder += `/${name}`;
  expect(readdirSync(folder)).toEqual(['n'.repeat(255)]);
  const destination = store.folder.join('deep');
  await checkoutImage(host, commit, destination);
  await removeTree(destination);
  expect(existsSync(destination)).toBe(false);
});

test('the error for a missing object names the command that repairs it', async () => {
  const damaged = await pushNew(registry, { layers: [tree`f lost 0644 of this image alone`] });
  const { commit } = (await pullImage(host, damaged, {})).image;
  const { repository } = store.locations;
  const [file] = readDirTree(repository, readCommit(repository, commit).dirtree).files;
  unlinkSync(formatObjectPath(repository, toChecksum(file?.checksum ?? ''), 'file'));
  const mounted = mountSubject(host, { subject: damaged, directory: at, options: [] });
  expect(await mounted.catch((error) => error)).toMatchObject({
    code: 'STORE_CORRUPT',
    message: expect.stringContaining(file?.checksum ?? 'a checksum'),
    hint: 'See what is damaged, and repair it: atomic images verify --repair',
  });
  expect([readdirSync(at), await listRecordedMounts(host)]).toEqual([[], []]);
});
