/** A failed push gives the reason, and leaves no files. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { exportImage, pushImage } from '../../../src/store/export/export.ts';
import { pullImage } from '../../../src/store/pull/pull.ts';
import { startFaultyRegistry } from '../../support/faulty-registry.ts';
import { type Registry, startRegistry } from '../../support/registry.ts';
import type { Sandbox } from '../../support/sandbox.ts';
import { listLeftovers } from '../../support/store/failed-pull.ts';
import { createStore, pushNew, TEST_TIMEOUT_MS } from '../../support/store/store-fixture.ts';
import { tree } from '../../support/tree.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

const credentials = { username: 'me', password: 'secret:word' };
let registry: Registry;
let closed: Registry;
let store: Sandbox;
let name: string;
beforeAll(async () => {
  registry = await startRegistry();
  closed = await startRegistry({ credentials });
  store = await createStore([registry, closed]);
  name = await pushNew(registry, { layers: [tree`f file 0644 ${Buffer.alloc(8_000_000, 'text ')}`] });
  await pullImage(store.host, name, {});
});
afterAll(async () => {
  await store.remove();
  await registry.stop();
  await closed.stop();
});

async function failure(action: Promise<unknown>): Promise<{ code: string; message: string; hint: string }> {
  const { code, message, hint } = await action.then(
    () => Promise.reject(new Error('it succeeded')),
    (error) => error,
  );
  expect(listLeftovers(store)).toEqual([]);
  return { code, message, hint };
}

test('a registry that wants a login gets one, and refuses a push without', async () => {
  const there = `${closed.address}/a/b:1`;
  expect(await failure(pushImage(store.host, name, there, {}))).toEqual({
    code: 'REGISTRY_AUTH',
    message: expect.stringMatching(new RegExp(`^pushing ${name}: .*(unauthorized|authentication required)`)),
    hint: 'Give --creds USER:PASSWORD, or log in with `skopeo login REGISTRY`.',
  });
  const wrong = { ...credentials, password: 'wrong' };
  expect(await failure(pushImage(store.host, name, there, { credentials: wrong }))).toMatchObject({
    code: 'REGISTRY_AUTH',
    hint: `${closed.address} refused the credentials of --creds: check the user, the password and the user's rights there.`,
  });
  const pushed = await pushImage(store.host, name, there, { credentials });
  expect(pushed.manifest.reason).toBeUndefined();
});

test('a registry that does not exist', async () => {
  await using gone = await startRegistry();
  await gone.kill();
  const { code, message } = await failure(
    pushImage(store.host, name, `${gone.address}/a:1`, { tlsVerify: false, retryPauses: [1, 1] }),
  );
  expect([code, message]).toEqual(['REGISTRY_UNREACHABLE', expect.stringMatching(/connection refused/)]);
  const tries = store.events.filter(
    (event) => event.kind === 'warning' && event.text.includes(`docker://${gone.address}/a:1: `),
  );
  expect(tries.length).toBe(2);
});

const answers: [method: string, path: RegExp, status: number, error: string, code: string, hint: RegExp][] = [
  ['POST', /uploads/, 405, 'UNSUPPORTED', 'TRANSFER_FAILED', /read-only/],
  ['PUT', /manifests/, 405, 'UNSUPPORTED', 'TRANSFER_FAILED', /read-only/],
  ['POST', /uploads/, 403, 'DENIED', 'REGISTRY_AUTH', /no write permission/],
  ['POST', /uploads/, 404, 'NAME_UNKNOWN', 'TRANSFER_FAILED', /create the repository there/],
  ['PUT', /uploads/, 400, 'DIGEST_INVALID', 'DIGEST_MISMATCH', /changed on the way/],
  ['PUT', /manifests/, 400, 'MANIFEST_INVALID', 'TRANSFER_FAILED', /rejects the manifest/],
  ['PUT', /manifests/, 400, 'ODD', 'TRANSFER_FAILED', /^Check the registry and its log, then push again\.$/],
];
test.each(answers)(
  'a push that %s %p answers with %d %s',
  async (method, path, status, error, code, hint) => {
    const body = JSON.stringify({ errors: [{ code: error, message: 'as the registry says it' }] });
    const headers = { 'content-type': 'application/json' };
    await using faulty = await startFaultyRegistry(registry, [
      { method, path, fault: { kind: 'answer', status, headers, body } },
    ]);
    const there = `${faulty.address}/new-${status}-${error.toLowerCase()}/${method.toLowerCase()}:1`;
    expect(await failure(pushImage(store.host, name, there, { tlsVerify: false }))).toMatchObject({
      code,
      hint: expect.stringMatching(hint),
    });
  },
);

test('an unknown image, and invalid destinations', async () => {
  const cases: [action: () => Promise<unknown>, code: string, hint: RegExp][] = [
    [() => pushImage(store.host, 'nothing', undefined, {}), 'IMAGE_NOT_FOUND', /images list/],
    [() => pushImage(store.host, name, 'team/x', {}), 'BAD_VALUE', /images push/],
    [() => exportImage(store.host, name, '/tmp/x.tar'), 'BAD_VALUE', /oci:FOLDER/],
    [() => exportImage(store.host, name, 'oci:/proc/nothing'), 'STORE_FAILED', /stores files/],
    [() => exportImage(store.host, name, 'oci-archive:/nowhere/x.tar'), 'STORE_FAILED', /mkdir -p \/nowhere/],
  ];
  for (const [action, code, hint] of cases) {
    expect(await failure(action())).toMatchObject({ code, hint: expect.stringMatching(hint) });
  }
});

test('an export that is interrupted leaves nothing, one that is killed an unlocked scratch folder', async () => {
  const out = store.folder.join('interrupted.tar');
  const interruption = new AbortController();
  const host: Sandbox['host'] = {
    ...store.host,
    signal: interruption.signal,
    report: ({ kind }) => kind === 'step' && interruption.abort(),
  };
  expect((await failure(exportImage(host, name, `oci-archive:${out}`))).code).toBe('INTERRUPTED');
  expect(existsSync(out)).toBe(false);

  const program = fileURLToPath(new URL('./export-process.ts', import.meta.url));
  const slow = { ...store.host, env: { ...store.host.env, SKOPEO_PATH: store.folder.join('sleep') } };
  writeFileSync(store.folder.join('sleep'), '#!/bin/sh\nexec sleep 5\n', { mode: 0o755 });
  const child = spawn(process.execPath, [program, JSON.stringify(slow), name, `oci-archive:${out}`], {
    stdio: 'ignore',
  });
  const scratch = await findScratch();
  expect(await isLocked(scratch)).toBe(true);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(await isLocked(scratch)).toBe(false);
});

test('skopeo ends with a killed export, and the destination does not exist', async () => {
  const program = fileURLToPath(new URL('./export-process.ts', import.meta.url));
  const begun = store.folder.join('begun');
  const script = `#!/bin/sh\necho $$ > ${begun}.new\nmv ${begun}.new ${begun}\nexec sleep 1000\n`;
  writeFileSync(store.folder.join('late'), script, { mode: 0o755 });
  const late = { ...store.host, env: { ...store.host.env, SKOPEO_PATH: store.folder.join('late') } };
  const folder = store.folder.join('killed');
  mkdirSync(folder);
  const child = spawn(
    process.execPath,
    [program, JSON.stringify(late), name, `oci-archive:${folder}/x.tar`],
    {
      stdio: 'ignore',
    },
  );
  while (!existsSync(begun)) await sleep(10);
  const skopeo = `/proc/${readFileSync(begun, 'utf8').trim()}`;
  expect(existsSync(skopeo)).toBe(true);
  child.kill('SIGKILL');
  while (existsSync(skopeo) && !readFileSync(`${skopeo}/stat`, 'utf8').includes(') Z')) await sleep(10);
  const names = readdirSync(folder);
  expect(names).toEqual([expect.stringMatching(/^\.atomic-export-......$/)]);
  await exportImage(store.host, name, `oci-archive:${folder}/x.tar`);
  expect(readdirSync(folder).sort()).toEqual([...names, 'x.tar'].sort());
});

async function findScratch(): Promise<string> {
  for (;;) {
    const [scratch] = listLeftovers(store);
    if (scratch !== undefined) {
      const path = `${store.locations.repository}/tmp/${scratch}`;
      if (readdirSync(path).length > 0) return path;
    }
    await sleep(10);
  }
}

async function isLocked(path: string): Promise<boolean> {
  const child = spawn('flock', ['--nonblock', path, 'true'], { stdio: 'ignore' });
  const [status] = await once(child, 'exit');
  return status !== 0;
}
