/** Layouts and their archives whose manifest is not the one that their index names. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { pullImage } from '../../../src/store/pull/pull.ts';
import { buildImage, buildIndex } from '../../support/oci-image.ts';
import { layoutBlobPath, writeLayout } from '../../support/oci-layout.ts';
import { run } from '../../support/run.ts';
import { createSandbox } from '../../support/sandbox.ts';
import { failedPull } from '../../support/store/failed-pull.ts';
import { TEST_TIMEOUT_MS } from '../../support/store/store-fixture.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../support/temporary.ts';
import { tree } from '../../support/tree.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

const image = buildImage({ layers: [tree`f etc/name 0644 etcd`] });
const list = buildIndex([image]);
const HINT = 'The file or folder was changed or damaged: copy it again. Nothing was stored.';

let files: TemporaryFolder;
const at = (name: string): string => files.join(name);
beforeAll(async () => {
  files = await createTemporaryFolder('changed-layout');
});
afterAll(() => files.remove());

/** An archive with the files of a folder. */
function pack(folder: string): string {
  run(['tar', '-C', at(folder), '-cf', at(`${folder}.tar`), 'oci-layout', 'index.json', 'blobs']);
  return at(`${folder}.tar`);
}

test.each([
  ['an image', 'image', image],
  ['a list', 'list', list],
])('the manifest of %s is changed', async (_, folder, artifact) => {
  await using store = await createSandbox();
  await writeLayout(at(folder), artifact, 'latest');
  await pullImage(store.host, `oci-archive:${pack(folder)}`, {}, 'sound');
  await pullImage(store.host, `oci:${at(folder)}`, {}, 'sound');
  appendFileSync(layoutBlobPath(at(folder), artifact.manifest.digest), '\n');
  const { digest, size } = artifact.manifest;
  const expected = {
    code: 'DIGEST_MISMATCH' as const,
    message: `reading the manifest: it is not ${digest} of ${size} bytes, as index.json says`,
    hint: HINT,
  };
  expect(await failedPull(store, `oci:${at(folder)}`)).toEqual(expected);
  expect(await failedPull(store, `oci-archive:${pack(folder)}`)).toEqual(expected);
});

test('the index says another size', async () => {
  await using store = await createSandbox();
  await writeLayout(at('size'), image, 'latest');
  const index = readFileSync(at('size/index.json'), 'utf8');
  writeFileSync(
    at('size/index.json'),
    index.replace(`"size":${image.manifest.size}`, `"size":${image.manifest.size + 1}`),
  );
  expect((await failedPull(store, `oci:${at('size')}`)).code).toBe('DIGEST_MISMATCH');
});
