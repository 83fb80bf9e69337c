/** Folders below the current one, which may be called what no image of a registry may be. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { buildImage } from '../support/oci-image.ts';
import { writeLayout } from '../support/oci-layout.ts';
import { createSandbox } from '../support/sandbox.ts';
import { findImage } from '../support/store/find-by-name.ts';
import { pullInProcess } from '../support/store/pull-in-process.ts';
import { TEST_TIMEOUT_MS } from '../support/store/store-fixture.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../support/temporary.ts';
import { tree } from '../support/tree.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

const image = buildImage({ layers: [tree`f etc/name 0644 app`] });
const NAME = 'reg.example.com/team/app:7';

let files: TemporaryFolder;
beforeAll(async () => {
  files = await createTemporaryFolder('relative');
  for (const folder of ['lower', 'Upper', 'sp ace', 'a/b']) {
    await writeLayout(files.join(folder), image, NAME);
  }
});
afterAll(() => files.remove());

test.each([
  ['oci:lower'],
  // what completion writes
  ['oci:lower/'],
  ['oci:Upper'],
  ['oci:sp ace'],
  ['oci:a/b/'],
  [`oci:lower:${NAME}`],
  [`oci:sp ace/:${NAME}`],
])('%s', async (source) => {
  await using store = await createSandbox();
  const { kind } = await pullInProcess(store, source, { wrapper: ['env', `--chdir=${files.path}`] });
  expect(kind).toBe('pulled');
  expect((await findImage(store.host, NAME))?.id).toBe(image.manifest.digest.slice('sha256:'.length));
});

test.each([
  ['oci:one.tar', 'one.tar'],
  ['oci:one.tar:etcd:1', 'one.tar'],
  ['oci:two.tar.gz', 'two.tar.gz'],
  ['oci:three.oci', 'three.oci'],
])('%s is not taken for a name of a registry', async (source, file) => {
  const path = files.join(file);
  writeFileSync(path, '');
  await using store = await createSandbox();
  expect(await pullInProcess(store, source, { wrapper: ['env', `--chdir=${files.path}`] })).toEqual({
    kind: 'failed',
    code: 'ARCHIVE_INVALID',
    message: `pulling ${source}: reading ${path}: it has no index.json, so it is not an OCI layout`,
    hint: `It is a file. If it is an archive: dockertar:${path} for one of "docker save", oci-archive:${path} for one of an OCI layout`,
  });
});
