/** `images update` and `images version`, the words of the original (compatibility M-50, M-60). */

import { afterAll, afterEach, beforeAll, beforeEach, expect, setDefaultTimeout, test } from 'bun:test';
import { plainDisplay } from '../../../src/cli/output/display.ts';
import { imagesInfo } from '../../../src/commands/images/info.ts';
import { imagesUpdate } from '../../../src/commands/images/update.ts';
import { imagesVersion } from '../../../src/commands/images/version.ts';
import { readImage } from '../../../src/store/find-image.ts';
import { pullImage } from '../../../src/store/pull/pull.ts';
import { updateAllImages, updateImage } from '../../../src/store/pull/update-image.ts';
import { tagImage } from '../../../src/store/tag-image.ts';
import { compareWithRegistries } from '../../../src/store/verify/compare-remote.ts';
import { buildImage } from '../../support/oci-image.ts';
import { type Registry, startRegistry } from '../../support/registry.ts';
import { pushImage } from '../../support/registry-push.ts';
import type { Sandbox } from '../../support/sandbox.ts';
import { createStore, TEST_TIMEOUT_MS } from '../../support/store/store-fixture.ts';
import { tree } from '../../support/tree.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

const build = (content: string, labels = {}) =>
  buildImage({ layers: [tree`f file 0644 ${content}`], config: { Labels: labels } });
const first = build('1', { Version: '3.4', Release: '7' });
const second = build('2', { version: '3.5' });

let registry: Registry;
let store: Sandbox;
let reference: string;
beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(() => registry.stop());
beforeEach(async () => {
  store = await createStore([registry]);
  reference = await pushImage(registry, 'update/etcd', first);
  await pullImage(store.host, reference, { retryPauses: [] });
});
afterEach(() => store.remove());

const nobody = {
  assumeYes: false,
  ask: async () => undefined,
  isPresent: async () => false,
  findDisplay: () => plainDisplay,
};
const idOf = ({ manifest }: typeof first) => manifest.digest.slice('sha256:'.length);
const run = async (words: Readonly<Record<string, unknown>>, image?: string) => {
  const options = {
    ...{ all: false, force: false, json: false, storage: undefined, creds: undefined, authfile: undefined },
    ...{ 'cert-dir': undefined, 'tls-verify': undefined, retry: '0' },
    ...words,
  };
  return imagesUpdate.run(store.host, { options, operands: { image } }, nobody);
};

test('an image is fetched again under its name, from any source', async () => {
  expect(await run({}, reference)).toEqual({ text: '' });
  const { image: named } = await pullImage(store.host, reference, {}, 'etcd:stable');
  expect(named.reference).toBe('etcd:stable');
  await pushImage(registry, 'update/etcd', second);
  expect(await run({}, reference)).toEqual({ text: '' });
  expect((await readImage(store.host, reference)).id).toBe(idOf(second));
  expect(await updateImage(store.host, 'http:etcd:stable', {})).toEqual({
    reference: 'etcd:stable',
    before: idOf(first),
    after: idOf(second),
  });
  expect((await readImage(store.host, 'etcd:stable')).id).toBe(idOf(second));
});

test('an image that was pulled by tag and digest: the tag counts, unless the digest is written again', async () => {
  const pinned = `${reference}@${first.manifest.digest}`;
  await pullImage(store.host, pinned, {});
  await pushImage(registry, 'update/etcd', second);
  expect(await compareWithRegistries(store.host, [pinned], {})).toMatchObject([
    { reference, status: { kind: 'newer', digest: second.manifest.digest } },
  ]);
  expect(await updateImage(store.host, pinned, {})).toMatchObject({ after: idOf(first) });
  expect(await updateImage(store.host, reference, {})).toMatchObject({ after: idOf(second) });
});

test('all of them: names without a registry are skipped, failures do not stop the others', async () => {
  await tagImage(store.host, reference, 'short:1');
  await tagImage(store.host, reference, `${registry.address}/update/gone:1`);
  await pushImage(registry, 'update/etcd', second);
  store.events.length = 0;
  const outcomes = await updateAllImages(store.host, { retryPauses: [] });
  // The second name says where it came from, too.
  expect(outcomes).toEqual([
    { kind: 'updated', reference, before: idOf(first), after: idOf(second) },
    {
      kind: 'updated',
      reference: `${registry.address}/update/gone:1`,
      before: idOf(first),
      after: idOf(second),
    },
  ]);
  expect(store.events).toContainEqual({
    kind: 'warning',
    text: 'Image short:1 not fully qualified: skipping',
  });
  expect(store.events).toContainEqual({ kind: 'notice', text: `Checking image ${reference}...` });
  const summary = await run({ all: true });
  expect(summary.exitStatus).toBe(0);
  expect(summary.text).toStartWith('\nSUMMARY\n   Image ');
  await registry.stop();
  const failed = await run({ all: true });
  registry = await startRegistry();
  expect(failed.exitStatus).toBe(1);
  expect(failed.text.match(/Could not pull/g)).toHaveLength(2);
});

test('the refusals of the original', async () => {
  const cases: [Record<string, unknown>, string | undefined, string, string][] = [
    [{ all: true }, reference, 'BAD_OPTION', 'Cannot specify both --all and an image name'],
    [{ all: true, force: true }, undefined, 'BAD_OPTION', 'Cannot specify both --all and --force'],
    [{ force: true }, reference, 'BAD_OPTION', '--force is not supported by ostree images'],
    [{}, undefined, 'BAD_OPTION', 'Too few arguments: IMAGE is missing'],
    [{}, 'nothing', 'IMAGE_NOT_FOUND', 'nothing not found locally.  Unable to update'],
  ];
  for (const [words, image, code, message] of cases) {
    await expect(run(words, image)).rejects.toMatchObject({ code, message });
  }
});

test('the version of an image is in its labels; without them it is the id', async () => {
  const other = await pushImage(registry, 'update/plain', build('3'));
  await pullImage(store.host, other, {});
  await pullImage(store.host, await pushImage(registry, 'update/half', second), {});
  const show = async (image: string, json = false) => {
    const options = { json, recurse: false, storage: undefined };
    return (await imagesVersion.run(store.host, { options, operands: { image } }, nobody)).text;
  };
  const lines = (await show(reference)).split('\n').map((line) => line.trim().split(/ {2,}/));
  expect(lines).toEqual([
    ['IMAGE NAME', 'VERSION', 'IMAGE ID'],
    [reference, '3.4-7', idOf(first).slice(0, 10)],
    [''],
    [''],
  ]);
  expect(JSON.parse(await show(`http:${registry.address}/update/half`, true)).versions[0].version).toBe(
    '3.5',
  );
  const { id } = await readImage(store.host, other);
  expect(JSON.parse(await show(id.slice(0, 8), true))).toEqual({
    schemaVersion: 1,
    versions: [{ image: other, version: id, id }],
  });
});

test('a repository without its tag names the tags', async () => {
  const { repository } = await readImage(store.host, reference);
  await tagImage(store.host, reference, `${repository}:3.4`);
  await tagImage(store.host, reference, `${repository}:3.5`);
  const { removeImageNames } = await import('../../../src/ostree/write-refs.ts');
  await removeImageNames(store.host, [reference]);
  const options = { json: false, remote: false, storage: undefined };
  await expect(
    imagesInfo.run(store.host, { options, operands: { image: repository } }, nobody),
  ).rejects.toMatchObject({
    code: 'IMAGE_NOT_FOUND',
    message: `Cannot find image ${repository}.`,
    hint: `Did you mean one of ${repository}:3.4, ${repository}:3.5?`,
  });
});
