/** Files with the labels that the kernel of a host with SELinux gives them. Without SELinux it stores any label. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { lstatSync, readFileSync, writeFileSync } from 'node:fs';
import { repairImages } from '../../src/containers/verify/repair-images.ts';
import { verifyImages } from '../../src/containers/verify/verify-images.ts';
import type { StoredImage } from '../../src/image/image.ts';
import { pullImage } from '../../src/store/pull/pull.ts';
import { buildImage } from '../support/oci-image.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { pushImage } from '../support/registry-push.ts';
import type { Sandbox } from '../support/sandbox.ts';
import { createStore, TEST_TIMEOUT_MS } from '../support/store/store-fixture.ts';
import { tree } from '../support/tree.ts';
import { deploy, findObject } from './verified-store.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

const layer = tree`
  d usr 0755
  f usr/tool 04755 @1:2 the tool
  x usr/tool user.note=1
  x usr/tool user.a=2
  l usr/again -> tool
  f usr/plain 0644 plain
`;

let registry: Registry;
let store: Sandbox;
let image: StoredImage;
beforeAll(async () => {
  registry = await startRegistry();
  store = await createStore([registry]);
  const name = await pushImage(registry, 'labels/image', buildImage({ layers: [layer] }));
  image = (await pullImage(store.host, name, {})).image;
  await deploy(store, image, 'web');
  label('container_var_lib_t');
});
afterAll(async () => {
  await store.remove();
  await registry.stop();
});

function label(type: string): void {
  const command = `find "$1" -exec setfattr -h -n security.selinux -v system_u:object_r:${type}:s0 {} +`;
  const { status, stderr } = spawnSync('sh', ['-c', command, 'sh', store.locations.checkouts], {
    encoding: 'utf8',
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
}

async function findProblems(): Promise<readonly (string | undefined)[]> {
  const { images } = await verifyImages(store.host, []);
  const problems = images.flatMap(({ problems: own, deployments }) => [
    ...own.flatMap(({ paths }) => paths),
    ...deployments.flatMap(({ problems: found }) => found.map(({ path }) => path)),
  ]);
  return problems;
}

test('a labelled file is sound, also with other attributes; a symlink too', async () => {
  const tool = findObject(store, image.commit, 'usr/tool', 'file');
  const { stdout } = spawnSync('getfattr', ['-m', '-', tool], { encoding: 'utf8' });
  expect(stdout).toContain('security.selinux\nuser.a\nuser.note');
  expect(await findProblems()).toEqual([]);
});

test('a labelled file with another content or attribute is damaged, and is repaired', async () => {
  const plain = findObject(store, image.commit, 'usr/plain', 'file');
  const tool = findObject(store, image.commit, 'usr/tool', 'file');
  writeFileSync(plain, 'pl4in');
  spawnSync('setfattr', ['-n', 'user.note', '-v', '2', tool]);
  expect(new Set(await findProblems())).toEqual(new Set(['/usr/plain', '/usr/tool']));
  await repairImages(store.host, [], {});
  label('container_var_lib_t');
  expect(await findProblems()).toEqual([]);
  expect([readFileSync(plain, 'utf8'), lstatSync(tool).mode & 0o7777]).toEqual(['plain', 0o4755]);
});
