/** The question before a deletion of images, and the errors that stop a deletion. */
import { afterAll, beforeAll, beforeEach, expect, setDefaultTimeout, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { plainDisplay } from '../../src/cli/output/display.ts';
import { imagesDelete } from '../../src/commands/images/delete.ts';
import type { StoredImage } from '../../src/image/image.ts';
import { removeImageNames } from '../../src/ostree/write-refs.ts';
import { listImageNames } from '../../src/store/image-names.ts';
import { pullImage } from '../../src/store/pull/pull.ts';
import { tagImage } from '../../src/store/tag-image.ts';
import { buildImage } from '../support/oci-image.ts';
import { plainRecord as record } from '../support/plain-record.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { pushImage } from '../support/registry-push.ts';
import type { Sandbox } from '../support/sandbox.ts';
import { createStore, TEST_TIMEOUT_MS } from '../support/store/store-fixture.ts';
import { tree } from '../support/tree.ts';
import { writeDeployment } from './fake-deployment.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

let registry: Registry;
let store: Sandbox;
let etcd: StoredImage;
let web: StoredImage;
beforeAll(async () => {
  registry = await startRegistry();
  store = await createStore([registry]);
  const pull = async (name: string): Promise<StoredImage> => {
    const address = await pushImage(
      registry,
      `delete/${name}`,
      buildImage({ layers: [tree`f x 0644 ${name}`] }),
    );
    return (await pullImage(store.host, address, {}, `${name}:1`)).image;
  };
  etcd = await pull('etcd');
  web = await pull('web');
  // The active deployment is of another image; this one is kept for a rollback.
  await writeDeployment(store, 'server', { number: 1, record: { ...record, revision: 'ff' } });
  const { checkouts } = store.locations;
  await writeDeployment(store, 'unused', { number: 0, record: { ...record, revision: 'ee' } });
  await Bun.write(
    `${checkouts}/server.0/info`,
    JSON.stringify({ image: 'web', revision: web.id, 'ostree-commit': web.commit }),
  );
});
beforeEach(async () => {
  await removeImageNames(
    store.host,
    listImageNames(store.host).map(({ reference }) => reference),
  );
  for (const { reference, commit } of [etcd, web]) {
    writeFileSync(
      `${store.locations.repository}/refs/heads/ociimage/${reference.replace(':', '_3A')}`,
      `${commit}\n`,
    );
  }
});
afterAll(async () => {
  await store.remove();
  await registry.stop();
});

const none = { all: false, force: false, json: false, assumeyes: false, remote: false, storage: undefined };
const question = (name: string): string =>
  `Do you wish to delete the following images?\n\n   IMAGE  STORAGE\n   ${name} ostree\n\nConfirm (y/N) `;

/** Runs the verb; returns its output or error, its question, and the remaining names. */
async function run(
  images: readonly string[],
  options: Partial<typeof none> = {},
  person: { answer?: string; assumeYes?: boolean } = {},
) {
  const asked: string[] = [];
  const result: unknown = await imagesDelete
    .run(
      store.host,
      { options: { ...none, ...options }, operands: { images } },
      {
        assumeYes: person.assumeYes ?? false,
        isPresent: async () => true,
        findDisplay: () => plainDisplay,
        ask: async (text) => {
          asked.push(text);
          return person.answer;
        },
      },
    )
    .catch((error: unknown) => error);
  return { result, asked, left: listImageNames(store.host).map(({ reference }) => reference) };
}

test('a yes deletes, without another word', async () => {
  expect(await run(['etcd:1'], {}, { answer: 'y' })).toEqual({
    result: { text: '' },
    asked: [question('etcd:1')],
    left: ['web:1'],
  });
});

test.each([
  ['n', undefined],
  ['', undefined],
  [undefined, 'No answer was given; with -y the answer is yes.'],
])('the answer %p deletes nothing', async (answer, hint) => {
  const { result, left } = await run([etcd.id.slice(0, 12)], {}, answer === undefined ? {} : { answer });
  expect(result).toMatchObject({
    code: 'REFUSED',
    exitStatus: 2,
    message: `User aborted delete operation for ['${etcd.id.slice(0, 12)}']`,
    hint,
  });
  expect(left).toEqual(['etcd:1', 'web:1']);
});

test.each([
  ['behind the verb', { assumeyes: true }, {}],
  ['before the verb', {}, { assumeYes: true }],
])('-y %s says what goes instead of asking', async (_, options, person) => {
  expect(await run(['etcd:1'], options, person)).toEqual({
    result: { text: 'The following images will be deleted.\n\n   IMAGE  STORAGE\n   etcd:1 ostree\n' },
    asked: [],
    left: ['web:1'],
  });
});

test('an image that a container keeps for a rollback is refused, with any other names, and -f deletes it', async () => {
  const { result, asked, left } = await run(['etcd:1', 'web:1'], { assumeyes: true });
  expect(result).toMatchObject({
    code: 'IMAGE_IN_USE',
    message: 'deleting images: containers use web:1 (server)',
    hint: 'Uninstall the containers first, or repeat with -f: the containers keep their files and continue to run.',
    details: { used: [{ reference: 'web:1', containers: ['server'] }] },
  });
  expect({ asked, left }).toEqual({ asked: [], left: ['etcd:1', 'web:1'] });
  expect(await run(['web:1'], { force: true })).toEqual({
    result: { text: '' },
    asked: [],
    left: ['etcd:1'],
  });
});

test('a used image may lose every name but the last', async () => {
  await tagImage(store.host, 'web:1', 'web:good');
  expect((await run(['web:1'], { assumeyes: true })).left).toEqual(['etcd:1', 'web:good']);
  expect((await run(['web:good'], { assumeyes: true })).result).toMatchObject({ code: 'IMAGE_IN_USE' });
  await tagImage(store.host, 'web:good', 'web:1');
  expect((await run(['web:1', 'web:good'], { assumeyes: true })).result).toMatchObject({
    message: 'deleting images: containers use web:1 (server), web:good (server)',
  });
});

test('the beginning of an id means all names; names that are given twice count once', async () => {
  await tagImage(store.host, 'etcd:1', 'etcd:2');
  const { result, left } = await run([etcd.id.slice(0, 20), 'etcd:2'], { force: true, json: true });
  expect(JSON.parse((result as { text: string }).text)).toEqual({
    schemaVersion: 1,
    deleted: [
      { reference: 'etcd:1', id: etcd.id },
      { reference: 'etcd:2', id: etcd.id },
    ],
  });
  expect(left).toEqual(['web:1']);
});

test('all, and nothing', async () => {
  expect(await run([], { all: true, force: true })).toEqual({ result: { text: '' }, asked: [], left: [] });
  expect(await run([], { all: true })).toMatchObject({
    result: { text: 'No images to delete.\n' },
    asked: [],
  });
  expect(await run([], { all: true, json: true })).toMatchObject({
    result: { text: expect.stringContaining('"deleted": []') },
  });
});

test('an unknown name stops the whole deletion', async () => {
  const { result, left } = await run(['etcd:1', 'nothing'], { force: true });
  expect(result).toMatchObject({ code: 'IMAGE_NOT_FOUND', message: 'Cannot find image nothing.' });
  expect(left).toEqual(['etcd:1', 'web:1']);
});

test('an image that another command changes during the question is not deleted', async () => {
  const asked = imagesDelete.run(
    store.host,
    { options: none, operands: { images: ['etcd:1'] } },
    {
      assumeYes: false,
      isPresent: async () => true,
      findDisplay: () => plainDisplay,
      ask: async () => {
        await tagImage(store.host, 'web:1', 'etcd:1');
        return 'yes';
      },
    },
  );
  await expect(asked).rejects.toMatchObject({
    message: 'deleting etcd:1: another command has changed it meanwhile',
  });
  expect(listImageNames(store.host).map(({ id }) => id)).toEqual([web.id, web.id]);
});

const mustSelect = 'You must select --all or provide a list of images to delete.';
test.each([
  ['no image', [], {}, { message: mustSelect, exitStatus: 2 }],
  ['images and --all', ['etcd:1'], { all: true }, { message: mustSelect, exitStatus: 2 }],
  [
    '--remote',
    ['reg/etcd'],
    { remote: true },
    {
      message: '--remote: images in a registry are not deleted by this program',
      hint: 'Use `skopeo delete docker://reg/etcd`.',
    },
  ],
])('refused: %s', async (_, images, options, error) => {
  expect((await run(images, options)).result).toMatchObject(error);
});
