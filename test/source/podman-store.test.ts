import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { requirePodmanStore } from '../../src/source/local/podman-store.ts';
import { createSandbox } from '../support/sandbox.ts';
import { failedPull } from '../support/store/failed-pull.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../support/temporary.ts';

setDefaultTimeout(60_000);

let files: TemporaryFolder;
beforeAll(async () => {
  files = await createTemporaryFolder('podman-store');
});
afterAll(() => files.remove());

test("looking for an image does not create podman's store", async () => {
  const root = files.join('absent/root');
  const conf = files.join('storage.conf');
  writeFileSync(conf, `[storage]\ndriver = "vfs"\ngraphroot = "${root}"\nrunroot = "${files.join('run')}"\n`);
  await using store = await createSandbox({ env: { CONTAINERS_STORAGE_CONF: conf } });
  expect(await failedPull(store, 'containers-storage:nope')).toEqual({
    code: 'IMAGE_NOT_FOUND',
    message: `reading the store of podman: there is no folder ${root}`,
    hint: 'podman has no images on this machine, or keeps them in another folder than "graphroot" of /etc/containers/storage.conf.',
  });
  expect([root, files.join('run')].filter(existsSync)).toEqual([]);
});

test('stores of others that storage.conf adds count, and users have their own', async () => {
  mkdirSync(files.join('shared'));
  const conf = files.join('shared.conf');
  const write = (shared: string): void =>
    writeFileSync(
      conf,
      `[storage]\ngraphroot = "/nowhere"\n[storage.options]\nadditionalimagestores = ["${shared}"]\n`,
    );
  await using store = await createSandbox({ env: { CONTAINERS_STORAGE_CONF: conf } });
  write(files.join('shared'));
  requirePodmanStore(store.host);
  write('/nowhere/else');
  expect(() => requirePodmanStore(store.host)).toThrow('there is no folder /nowhere');
  requirePodmanStore({ ...store.host, uid: 1000 });
});
