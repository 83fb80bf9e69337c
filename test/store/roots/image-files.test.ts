/** Single files of an image, read from the repository: paths are resolved as inside the image. */

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { rmSync } from 'node:fs';
import { toDigest } from '../../../src/image/digest.ts';
import type { StoredImage } from '../../../src/image/image.ts';
import { formatBlobRef } from '../../../src/image/ref-name.ts';
import { type ImageTree, openImageTree, readImageConfig } from '../../../src/store/image-files.ts';
import { type Registry, startRegistry } from '../../support/registry.ts';
import type { Sandbox } from '../../support/sandbox.ts';
import { createStore, pullLayers, TEST_TIMEOUT_MS } from '../../support/store/store-fixture.ts';
import { tree } from '../../support/tree.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

let registry: Registry;
let store: Sandbox;
let image: StoredImage;
let files: ImageTree;
beforeAll(async () => {
  registry = await startRegistry();
  store = await createStore([registry]);
  const chain = Array.from({ length: 41 }, (_, index) => ({
    path: `chain-${index}`,
    type: 'symlink' as const,
    mode: 0o777,
    linkName: index === 0 ? 'etc/passwd' : `chain-${index - 1}`,
  }));
  const lower = tree`
    d etc 0755
    f etc/passwd 0600 @3:4 of the image
    f etc/hidden 0644 of the lower layer
    f exports/manifest.json 0644 {}
  `;
  const upper = tree`
    w etc/hidden
    l absolute -> /etc/passwd
    l relative -> etc/passwd
    l outside -> ../../../../../../../../etc/passwd
    l etc/up -> ../exports
    l folder -> /etc
    l slash -> /
    l loop-a -> loop-b
    l loop-b -> loop-a
    l self -> self
    l dangling -> nowhere
    l through -> etc/passwd/below
    f empty 0644
    f ${'ü/日本'} 0644 utf8
  `;
  image = (await pullLayers(store, registry, [lower, [...upper, ...chain]])).image;
  files = openImageTree(store.host, image);
});
afterAll(async () => {
  await store.remove();
  await registry.stop();
});

const passwd = 'of the image';
const paths: [path: string, content: string | undefined][] = [
  ['/etc/passwd', passwd],
  ['etc/passwd', passwd],
  ['//etc/.//passwd/', passwd],
  ['/exports/../etc/passwd', passwd],
  ['/../../../etc/passwd', passwd],
  ['/absolute', passwd],
  ['/relative', passwd],
  ['/outside', passwd],
  ['/folder/passwd', passwd],
  ['/slash/slash/etc/passwd', passwd],
  ['/etc/up/../etc/passwd', passwd],
  ['/etc/up/manifest.json', '{}'],
  ['/chain-39', passwd],
  ['/chain-40', undefined],
  ['/empty', ''],
  ['/ü/日本', 'utf8'],
  ['/etc/hidden', undefined],
  ['/etc/.wh.hidden', undefined],
  ['/etc', undefined],
  ['/', undefined],
  ['/nowhere', undefined],
  ['/dangling', undefined],
  ['/loop-a', undefined],
  ['/self', undefined],
  ['/etc/passwd/below', undefined],
  ['/through', undefined],
  ['/etc/passwd/../passwd', undefined],
];

test.each(paths)('the content of %s', (path, content) => {
  expect(files.readFile(path, 100)?.toString()).toBe(content);
});

test('a file may be as long as allowed, and not a byte longer', () => {
  expect(files.readFile('/etc/passwd', passwd.length)?.toString()).toBe(passwd);
  expect(() => files.readFile('/absolute', passwd.length - 1)).toThrow(
    expect.objectContaining({
      code: 'EXPORTS_INVALID',
      message: `reading /absolute of the image: ${passwd.length} bytes are more than ${passwd.length - 1}`,
    }),
  );
});

test('finds existing paths', () => {
  const existing = ['/', '/etc', '/etc/passwd', '/outside', '/folder', '/..', '/slash'];
  const missing = ['/nowhere', '/dangling', '/loop-a', '/etc/hidden', '/etc/passwd/below'];
  expect([...existing, ...missing].filter((path) => files.exists(path))).toEqual(existing);
});

test('lists a directory', () => {
  expect(files.listDirectory('/etc')).toEqual(['passwd', 'up']);
  expect(files.listDirectory('/folder/up')).toEqual(['manifest.json']);
  expect(files.listDirectory('/..')).toContain('etc');
  expect(files.listDirectory('/etc/passwd')).toBeUndefined();
  expect(files.listDirectory('/nowhere')).toBeUndefined();
});

test('the configuration, and its loss', async () => {
  const config = JSON.parse(await readImageConfig(store.host, image)) as { rootfs: { diff_ids: string[] } };
  expect(config.rootfs.diff_ids).toHaveLength(2);
  rmSync(`${store.locations.repository}/refs/heads/${formatBlobRef(toDigest(image.configDigest ?? ''))}`);
  expect(readImageConfig(store.host, image)).rejects.toMatchObject({
    code: 'STORE_CORRUPT',
    message: `reading the configuration of ${image.reference}: the blob is missing`,
    hint: `Fetch it again: atomic images verify --repair ${image.reference}`,
  });
});
