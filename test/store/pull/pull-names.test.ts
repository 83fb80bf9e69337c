/** The names that a pull accepts, and the names of stored images (compatibility I-01). */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { readImages } from '../../../src/store/find-image.ts';
import { listImageNames, selectImageNames } from '../../../src/store/image-names.ts';
import { listImages } from '../../../src/store/list-images.ts';
import { pullImage } from '../../../src/store/pull/pull.ts';
import { tagImage } from '../../../src/store/tag-image.ts';
import { listTargets, selectTargets } from '../../../src/store/verify/verify-targets.ts';
import { type BuiltImage, buildImage, buildIndex } from '../../support/oci-image.ts';
import { type Registry, startRegistry } from '../../support/registry.ts';
import { pushImage } from '../../support/registry-push.ts';
import { createSandbox } from '../../support/sandbox.ts';
import { failedPull } from '../../support/store/failed-pull.ts';
import { findImage } from '../../support/store/find-by-name.ts';
import { createStore, TEST_TIMEOUT_MS } from '../../support/store/store-fixture.ts';
import { tree } from '../../support/tree.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

const image = buildImage({ layers: [tree`f etc/name 0644 etcd`] });
const newer = buildImage({ layers: [tree`f etc/name 0644 newer`] });
const foreign = buildImage({ layers: [tree`f a 0644 1`], platform: { os: 'linux', architecture: 's390x' } });
const index = buildIndex([foreign, image]);
const NOT_FOUND_HINT =
  'Check the name and the tag; `skopeo list-tags docker://NAME` lists the tags of a repository.';

let registry: Registry;
beforeAll(async () => {
  registry = await startRegistry();
  await pushImage(registry, 'team/etcd', image);
  await pushImage(registry, 'team/etcd', image, '3.4');
  await pushImage(registry, 'team/list', index);
  await pushImage(registry, 'etcd', image);
  await pushImage(registry, 'library/etcd', image);
});
afterAll(() => registry.stop());

test('by tag and digest: the digest is pulled, the tag is the name', async () => {
  await using store = await createStore([registry]);
  const { host } = store;
  const team = `${registry.address}/team`;
  // The tag means another image by now.
  await pushImage(registry, 'team/moved', image, '3.4');
  await pushImage(registry, 'team/moved', newer, '3.4');
  const old = `${team}/moved:3.4@${image.manifest.digest}`;
  const { image: pulled } = await pullImage(host, old, {});
  expect(pulled).toMatchObject({
    reference: `${team}/moved:3.4`,
    tag: '3.4',
    id: idOf(image),
    source: `docker://${team}/moved@${image.manifest.digest}`,
  });
  for (const name of [old, `http:${old}`, `${team}/moved:3.4`])
    expect(await findImage(host, name)).toEqual(pulled);

  const other = `${team}/moved:3.4@${newer.manifest.digest}`;
  expect(await findImage(host, other)).toBeUndefined();
  await expect(readImages(host, other)).rejects.toMatchObject({
    code: 'IMAGE_NOT_FOUND',
    message: `Cannot find image ${other}: ${team}/moved:3.4 is stored with the digest ${image.manifest.digest}`,
    hint: `Fetch this one: atomic pull ${other}`,
  });
  const names = listImageNames(host);
  expect(selectImageNames(names, old).map(({ reference }) => reference)).toEqual([`${team}/moved:3.4`]);
  expect(() => selectImageNames(names, other)).toThrow(/^Cannot find image /);
  const targets = listTargets(host);
  expect(selectTargets(targets, [old])).toHaveLength(1);
  expect(() => selectTargets(targets, [other])).toThrow(/^Cannot find image /);

  expect((await pullImage(host, other, {})).image).toMatchObject({
    reference: `${team}/moved:3.4`,
    id: idOf(newer),
  });
  expect(await failedPull(store, `${team}/moved:3.4@sha256:${'0'.repeat(64)}`)).toMatchObject({
    code: 'IMAGE_NOT_FOUND',
  });
  await expect(pullImage(host, other, {}, old)).rejects.toMatchObject({ code: 'BAD_REFERENCE' });
});

test('by tag and the digest of a list, also when its image is stored under the tag already', async () => {
  await using store = await createStore([registry]);
  const name = `${registry.address}/team/list`;
  await pullImage(store.host, name, {});
  const pinned = `${name}:latest@${index.manifest.digest}`;
  expect(await findImage(store.host, pinned)).toBeUndefined();
  const { image: pulled, fetched } = await pullImage(store.host, pinned, {});
  expect({ id: pulled.id, fetched }).toEqual({ id: idOf(image), fetched: [] });
  expect(await findImage(store.host, pinned)).toEqual(pulled);
  expect((await findImage(store.host, name))?.id).toBe(idOf(image));
});

test('by name, by tag, with a prefix, by the digest of an image and by that of a list', async () => {
  await using store = await createStore([registry]);
  const { address } = registry;
  const pull = async (name: string): Promise<string> => {
    const pulled = await pullImage(store.host, name, {});
    expect(pulled.image.id).toBe(idOf(image));
    expect(await findImage(store.host, name)).toEqual(pulled.image);
    return pulled.image.reference;
  };
  const byImage = `${address}/team/etcd@${image.manifest.digest}`;
  const byList = `${address}/team/list@${index.manifest.digest}`;
  expect(await pull(`${address}/team/etcd`)).toBe(`${address}/team/etcd:latest`);
  expect(await pull(`${address}/team/etcd:3.4`)).toBe(`${address}/team/etcd:3.4`);
  expect(await pull(`oci:${address}/team/etcd`)).toBe(`${address}/team/etcd:latest`);
  expect(await pull(byImage)).toBe(byImage);
  expect(await pull(byList)).toBe(byList);
  const stored = (await listImages(store.host)).map(({ reference, repository, tag }) => [
    reference,
    repository,
    tag,
  ]);
  expect(stored).toEqual([
    [`${address}/team/etcd:3.4`, `${address}/team/etcd`, '3.4'],
    [`${address}/team/etcd:latest`, `${address}/team/etcd`, 'latest'],
    [byImage, `${address}/team/etcd`, undefined],
    [byList, `${address}/team/list`, undefined],
  ]);
});

test('http: asks a registry without TLS that no configuration names', async () => {
  await using store = await createSandbox();
  const name = `${registry.address}/team/etcd`;
  expect(await failedPull(store, name)).toEqual({
    code: 'REGISTRY_UNREACHABLE',
    message: `pinging container registry ${registry.address}: Get "https://${registry.address}/v2/": the server answers with HTTP, not with HTTPS`,
    hint: 'List the registry as insecure in /etc/containers/registries.conf.d, or give --tls-verify=false.',
  });
  expect((await pullImage(store.host, `http:${name}`, {})).image.reference).toBe(`${name}:latest`);
  expect(store.events.filter(({ kind }) => kind === 'pull-started')).toEqual([
    { kind: 'pull-started', image: name },
    { kind: 'pull-started', image: name },
  ]);
});

test('a short name is resolved by its alias, and stays short in the store', async () => {
  const aliases = { etcd: `${registry.address}/team/etcd` };
  await using store = await createStore([registry], {
    containers: { insecure: [registry.address], aliases },
  });
  const pulled = await pullImage(store.host, 'etcd:3.4', {});
  expect([pulled.image.reference, pulled.image.id]).toEqual(['etcd:3.4', idOf(image)]);
  expect(store.events.filter(({ kind }) => kind === 'warning')).toEqual([]);
});

test('a short name is looked up in the search registries in their order', async () => {
  await using empty = await startRegistry();
  const insecure = [registry.address, empty.address];
  const search = [empty.address, registry.address];
  await using store = await createSandbox({ containers: { insecure, search } });
  const pulled = await pullImage(store.host, 'etcd', {});
  expect([pulled.image.reference, pulled.image.id]).toEqual(['etcd:latest', idOf(image)]);
  expect((await empty.requests()).map(({ path }) => path)).toContain('/v2/etcd/manifests/latest');
});

test('a short name that no search registry has is not found', async () => {
  const insecure = [registry.address];
  await using store = await createSandbox({ containers: { insecure, search: [registry.address] } });
  expect(await failedPull(store, 'nowhere')).toEqual({
    code: 'IMAGE_NOT_FOUND',
    message: `reading manifest latest in ${registry.address}/nowhere: manifest unknown`,
    hint: NOT_FOUND_HINT,
  });
});

test('the error for an unknown tag lists the existing tags', async () => {
  await using store = await createStore([registry]);
  const name = `${registry.address}/team/etcd`;
  expect(await failedPull(store, `${name}:9`)).toEqual({
    code: 'IMAGE_NOT_FOUND',
    message: `reading manifest 9 in ${name}: manifest unknown`,
    hint: `It has the tags latest, 3.4; \`skopeo list-tags docker://${name}\` shows them.`,
  });
  for (let minor = 1; minor <= 12; minor++) await pushImage(registry, 'team/many', image, `1.${minor}`);
  expect((await failedPull(store, `${registry.address}/team/many`)).hint).toStartWith(
    'It has the tags 1.12, 1.11, 1.10, 1.9, 1.8, 1.7, 1.6, 1.5 and 4 more; ',
  );
});

test('the search ends at a registry that cannot be reached, so that no other can take its place', async () => {
  const insecure = [registry.address, '127.0.0.1:1'];
  const search = ['127.0.0.1:1', registry.address];
  await using store = await createSandbox({ containers: { insecure, search } });
  expect((await failedPull(store, 'etcd')).code).toBe('REGISTRY_UNREACHABLE');
});

test('a short name without any configuration goes to Docker Hub, with a warning', async () => {
  const registriesText = `[[registry]]\nlocation = "docker.io"\n[[registry.mirror]]\nlocation = "${registry.address}"\ninsecure = true\n`;
  await using store = await createSandbox({ containers: { registriesText } });
  expect((await pullImage(store.host, 'etcd', {})).image.reference).toBe('etcd:latest');
  expect(store.events.filter(({ kind }) => kind === 'warning')).toEqual([
    {
      kind: 'warning',
      text: 'The image `etcd` is not fully qualified.  The default registry configured for Skopeo will be used.',
    },
  ]);
});

test('the longest name that a ref can have is stored, and a longer one refused before the registry is asked', async () => {
  await using store = await createStore([registry]);
  const source = `${registry.address}/team/etcd`;
  const longest = `${'a'.repeat(246)}:latest`;
  expect((await pullImage(store.host, source, {}, longest)).image.reference).toBe(longest);
  const before = (await registry.requests()).length;
  const long = `${registry.address}/${Array(16).fill('elements-of-it').join('/')}`;
  const { code, message } = await failedPull(store, long);
  expect([code, message]).toEqual(['BAD_REFERENCE', expect.stringMatching(/ more than 255$/)]);
  expect((await registry.requests()).length).toBe(before);
  await expect(tagImage(store.host, source, `${'b'.repeat(250)}`)).rejects.toMatchObject({
    code: 'BAD_REFERENCE',
  });
  await expect(pullImage(store.host, source, {}, 'c'.repeat(250))).rejects.toMatchObject({
    code: 'BAD_REFERENCE',
  });
});

function idOf({ manifest }: BuiltImage): string {
  return manifest.digest.slice('sha256:'.length);
}
