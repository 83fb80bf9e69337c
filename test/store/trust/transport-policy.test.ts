/** policy.json holds for files and folders too, per transport and per path, with skopeo 1.9 whose proxy ignores it. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { copyFileSync } from 'node:fs';
import { readSignatures } from '../../../src/store/image-signatures.ts';
import { pullImage } from '../../../src/store/pull/pull.ts';
import { buildImage } from '../../support/oci-image.ts';
import { writeLayout } from '../../support/oci-layout.ts';
import { run } from '../../support/run.ts';
import { createSandbox, type Sandbox } from '../../support/sandbox.ts';
import { createSigningKey, type SigningKey } from '../../support/signing-key.ts';
import { failedPull, listLeftovers } from '../../support/store/failed-pull.ts';
import { TEST_TIMEOUT_MS } from '../../support/store/store-fixture.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../support/temporary.ts';
import { tree } from '../../support/tree.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

const image = buildImage({ layers: [tree`f etc/name 0644 etcd`] });
const accept = [{ type: 'insecureAcceptAnything' }];
const reject = [{ type: 'reject' }];
const SIGNED = 'registry.example.com/etcd:3.4';

let files: TemporaryFolder;
let trusted: SigningKey;
let signature: string;
beforeAll(async () => {
  files = await createTemporaryFolder('policy');
  trusted = await createSigningKey();
  const at = (name: string): string => files.join(name);
  await writeLayout(at('good'), image, '3.4');
  await writeLayout(at('other'), image, '3.4');
  for (const target of [
    'docker-archive:ALL/a.tar:etcd:3.4',
    'oci-archive:ALL/o.tar:3.4',
    'dir:ALL/d',
    'dir:ALL/signed',
  ]) {
    run(['skopeo', 'copy', '--quiet', `oci:${at('good')}:3.4`, target.replace('ALL', files.path)]);
  }
  trusted.sign(image.manifest, SIGNED, at('lookaside'), 'etcd');
  signature = at(`lookaside/etcd@${image.manifest.digest.replace(':', '=')}/signature-1`);
  copyFileSync(signature, at('signed/signature-1'));
});
afterAll(async () => {
  await trusted[Symbol.asyncDispose]();
  await files.remove();
});

type Scopes = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

function createTrusting(fallback: unknown, transports: Scopes): Promise<Sandbox> {
  return createSandbox({ containers: { policy: { default: fallback, transports } } });
}

const SOURCES = ['oci:ALL/good', 'oci-archive:ALL/o.tar', 'docker-archive:ALL/a.tar', 'dir:ALL/d'];
const fill = (source: string): string => source.replace('ALL', files.path);

test.each(SOURCES)('%s is refused when the policy rejects everything', async (source) => {
  await using store = await createTrusting(reject, { docker: { '': accept } });
  expect(await failedPull(store, fill(source))).toEqual({
    code: 'POLICY_REJECTED',
    message: expect.stringMatching(/^Source image rejected: Running image .* is rejected by policy\.$/),
    hint: 'See /etc/containers/policy.json and containers-policy.json(5).',
  });
});

test.each(SOURCES)(
  '%s is accepted when the policy accepts only its transport, and leaves no files',
  async (source) => {
    const transport = source.slice(0, source.indexOf(':'));
    await using store = await createTrusting(reject, { [transport]: { '': accept } });
    expect((await pullImage(store.host, fill(source), {})).fetched.length).toBe(1);
    expect(listLeftovers(store)).toEqual([]);
  },
);

test.each(SOURCES)('%s is refused when the policy rejects only its transport', async (source) => {
  const transport = source.slice(0, source.indexOf(':'));
  await using store = await createTrusting(accept, { [transport]: { '': reject } });
  expect((await failedPull(store, fill(source))).code).toBe('POLICY_REJECTED');
});

test('one path of a transport is accepted, another is not', async () => {
  await using store = await createTrusting(reject, { oci: { [files.join('good')]: accept } });
  const pulled = await pullImage(store.host, fill('oci:ALL/good'), {});
  expect([pulled.image.reference, pulled.image.source]).toEqual(['good:3.4', fill('oci:ALL/good:3.4')]);
  expect((await failedPull(store, fill('oci:ALL/other'))).code).toBe('POLICY_REJECTED');
});

test('a signature beside an image in a folder is checked, and kept', async () => {
  const requirement = {
    type: 'signedBy',
    keyType: 'GPGKeys',
    keyPath: trusted.publicKey,
    signedIdentity: { type: 'exactReference', dockerReference: SIGNED },
  };
  await using store = await createTrusting(reject, { dir: { '': [requirement] } });
  expect(await failedPull(store, fill('dir:ALL/d'))).toMatchObject({
    code: 'POLICY_REJECTED',
    message: 'Source image rejected: A signature was required, but no signature exists',
  });
  const { image: stored } = await pullImage(store.host, fill('dir:ALL/signed'), {});
  const bytes = await Bun.file(signature).bytes();
  expect(readSignatures(store.host, stored)).toEqual([Buffer.from(bytes)]);
});
