/** The ways to a registry: an own CA, a login, a mirror, plain HTTP; and that a login goes nowhere else. */

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { toDigest } from '../../../src/image/digest.ts';
import { pullImage } from '../../../src/store/pull/pull.ts';
import { type FaultyRegistry, startFaultyRegistry } from '../../support/faulty-registry.ts';
import { buildImage, buildIndex } from '../../support/oci-image.ts';
import { type Registry, startRegistry } from '../../support/registry.ts';
import { pushImage } from '../../support/registry-push.ts';
import { run } from '../../support/run.ts';
import { createSandbox } from '../../support/sandbox.ts';
import { failedPull } from '../../support/store/failed-pull.ts';
import { TEST_TIMEOUT_MS } from '../../support/store/store-fixture.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../support/temporary.ts';
import { tree } from '../../support/tree.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

const image = buildImage({ layers: [tree`f etc/name 0644 etcd`] });
const id = image.manifest.digest.slice('sha256:'.length);
const credentials = { username: 'tester', password: 'secret' };
const LOGIN_HINT = 'Give --creds USER:PASSWORD, or log in with `skopeo login REGISTRY`.';

let registry: Registry;
let folder: TemporaryFolder;
let secure: FaultyRegistry;
let name: string;
beforeAll(async () => {
  registry = await startRegistry({ credentials });
  folder = await createTemporaryFolder('access');
  await pushImage(registry, 'team/etcd', image);
  for (const ca of ['right', 'wrong']) makeCertificate(folder.join(ca));
  const tls = {
    cert: readFileSync(`${folder.join('right')}/ca.crt`, 'utf8'),
    key: readFileSync(`${folder.join('right')}.key`, 'utf8'),
  };
  secure = await startFaultyRegistry(registry, [], tls);
  name = `${secure.address}/team/etcd`;
});
afterAll(async () => {
  await secure.stop();
  await folder.remove();
  await registry.stop();
});

/** A folder as `--cert-dir` takes it, and beside it the key. */
function makeCertificate(path: string, address = '127.0.0.1'): void {
  mkdirSync(path);
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  const subject = ['-subj', '/CN=test', '-addext', `subjectAltName=IP:${address}`];
  run(['openssl', 'req', '-x509', ...kind, ...subject, '-keyout', `${path}.key`, '-out', `${path}/ca.crt`]);
}

test('a registry with a CA of its own: unknown, wrong, from an option, from certs.d, not looked at', async () => {
  await using store = await createSandbox();
  const hint =
    'Copy the CA certificate of the registry to /etc/containers/certs.d/REGISTRY/ca.crt, or give --cert-dir.';
  for (const options of [{}, { certDirectory: folder.join('wrong') }]) {
    expect(await failedPull(store, name, { credentials, ...options })).toEqual({
      code: 'REGISTRY_UNREACHABLE',
      message: expect.stringMatching(/the certificate of the server is signed by an unknown authority/),
      hint,
    });
  }
  const certDirectory = folder.join('right');
  expect((await pullImage(store.host, name, { credentials, certDirectory })).image.id).toBe(id);
  expect((await pullImage(store.host, name, { credentials, tlsVerify: false })).image.id).toBe(id);
  const certificates = `${store.host.env.HOME}/.config/containers/certs.d/${secure.address}`;
  mkdirSync(certificates, { recursive: true });
  writeFileSync(`${certificates}/ca.crt`, readFileSync(`${certDirectory}/ca.crt`));
  expect((await pullImage(store.host, name, { credentials })).image.reference).toBe(`${name}:latest`);
});

test('a certificate that is for another host', async () => {
  const path = folder.join('other-host');
  makeCertificate(path, '127.0.0.2');
  const tls = { cert: readFileSync(`${path}/ca.crt`, 'utf8'), key: readFileSync(`${path}.key`, 'utf8') };
  await using odd = await startFaultyRegistry(registry, [], tls);
  await using store = await createSandbox();
  expect(await failedPull(store, `${odd.address}/team/etcd`, { credentials, certDirectory: path })).toEqual({
    code: 'REGISTRY_UNREACHABLE',
    message: expect.stringMatching(/valid for 127\.0\.0\.2, not 127\.0\.0\.1/),
    hint: expect.stringMatching(/^The certificate is for another name/),
  });
});

test('plain HTTP must be allowed, by an option or by its prefix', async () => {
  await using store = await createSandbox();
  const plain = `${registry.address}/team/etcd`;
  expect(await failedPull(store, plain, { credentials })).toMatchObject({
    code: 'REGISTRY_UNREACHABLE',
    message: expect.stringMatching(/the server answers with HTTP, not with HTTPS/),
  });
  expect((await pullImage(store.host, plain, { credentials, tlsVerify: false })).image.id).toBe(id);
  const { image: stored } = await pullImage(store.host, `http:${plain}`, { credentials });
  expect([stored.reference, stored.id]).toEqual([`${plain}:latest`, id]);
});

test('a login that is no longer valid', async () => {
  const insecure = [registry.address];
  const old = { [registry.address]: { username: 'tester', password: 'changed since' } };
  await using store = await createSandbox({ containers: { insecure, credentials: old } });
  expect(await failedPull(store, `${registry.address}/team/etcd`)).toMatchObject({
    code: 'REGISTRY_AUTH',
    hint: LOGIN_HINT,
  });
  expect((await pullImage(store.host, `${registry.address}/team/etcd`, { credentials })).image.id).toBe(id);
});

test('an --authfile of its own', async () => {
  await using store = await createSandbox({ containers: { insecure: [registry.address] } });
  const authFile = folder.join('own.json');
  const auth = Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64');
  writeFileSync(authFile, JSON.stringify({ auths: { [registry.address]: { auth } } }));
  expect((await pullImage(store.host, `${registry.address}/team/etcd`, { authFile })).image.id).toBe(id);
});

test('a mirror replaces an unreachable registry, under the name of that registry', async () => {
  const registriesText = `[[registry]]\nlocation = "registry.invalid"\n[[registry.mirror]]\nlocation = "${registry.address}"\ninsecure = true\n`;
  const logins = { [registry.address]: credentials };
  await using store = await createSandbox({ containers: { registriesText, credentials: logins } });
  const { image: stored } = await pullImage(store.host, 'registry.invalid/team/etcd', {});
  expect([stored.reference, stored.id, stored.source]).toEqual([
    'registry.invalid/team/etcd:latest',
    id,
    'docker://registry.invalid/team/etcd:latest',
  ]);
});

test('a short name stays short in the store', async () => {
  const containers = {
    insecure: [registry.address],
    credentials: { [registry.address]: credentials },
    aliases: { etcd: `${registry.address}/team/etcd` },
  };
  await using store = await createSandbox({ containers });
  expect((await pullImage(store.host, 'etcd', {})).image.reference).toBe('etcd:latest');
  const full = await pullImage(store.host, `${registry.address}/team/etcd`, {});
  expect([full.fetched, full.image.reference]).toEqual([[], `${registry.address}/team/etcd:latest`]);
});

test('another platform of a list than that of this machine', async () => {
  const platform = { os: 'linux', architecture: 'arm', variant: 'v7' };
  const foreign = buildImage({ layers: [tree`f etc/name 0644 arm`], platform });
  await pushImage(registry, 'team/list', buildIndex([image, foreign]));
  await using store = await createSandbox({ containers: { insecure: [registry.address] } });
  const list = `${registry.address}/team/list`;
  const pulled = await pullImage(store.host, list, { credentials, platform });
  expect(pulled.image.id).toBe(foreign.manifest.digest.slice('sha256:'.length));
  expect((await pullImage(store.host, list, { credentials })).image.id).toBe(id);
  expect(
    await failedPull(store, list, { credentials, platform: { os: 'linux', architecture: 's390x' } }),
  ).toEqual({
    code: 'MANIFEST_UNSUPPORTED',
    message: expect.stringMatching(/the index has no image for architecture s390x/),
    hint: 'The image is not made for the platform of this machine; use --platform to pull it for another platform.',
  });
});

test('a login does not follow a redirect to another host', async () => {
  const layer = toDigest(image.layers[0]?.digest ?? '');
  const seen: IncomingMessage['headers'][] = [];
  // Another name of the same machine is another host.
  const elsewhere = await listen((incoming, outgoing) => {
    seen.push(incoming.headers);
    outgoing.end(image.layers.find(({ digest }) => incoming.url?.endsWith(digest))?.data);
  });
  const location = `http://localhost:${(elsewhere.address() as AddressInfo).port}/${layer}`;
  await using redirecting = await startFaultyRegistry(registry, [
    { path: `/blobs/${layer}`, fault: { kind: 'answer', status: 307, headers: { location } } },
  ]);
  await using store = await createSandbox({ containers: { insecure: [redirecting.address] } });
  const pulled = await pullImage(store.host, `${redirecting.address}/team/etcd`, { credentials });
  expect(pulled.fetched).toEqual([layer]);
  expect(seen.length).toBe(1);
  expect(seen[0]).not.toHaveProperty('authorization');
  elsewhere.close();
});

async function listen(answer: Parameters<typeof createServer>[1]): Promise<Server> {
  const server = createServer(answer as never);
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  return server;
}
