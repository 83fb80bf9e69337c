/** A skopeo that is missing, too old, or dies. */

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { toDigest } from '../../src/image/digest.ts';
import { pullImage } from '../../src/store/pull/pull.ts';
import { startFaultyRegistry } from '../support/faulty-registry.ts';
import { buildImage } from '../support/oci-image.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { pushImage } from '../support/registry-push.ts';
import { createSandbox } from '../support/sandbox.ts';
import { failedPull, listChildren } from '../support/store/failed-pull.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../support/temporary.ts';
import { tree } from '../support/tree.ts';

const TEST_TIMEOUT_MS = 60_000;
setDefaultTimeout(TEST_TIMEOUT_MS);

const image = buildImage({ layers: [tree`f etc/large 0644 ${Buffer.alloc(3_000_000, 'large')}`] });
const [layer] = image.layers;

let registry: Registry;
let folder: TemporaryFolder;
let name: string;
beforeAll(async () => {
  registry = await startRegistry({ credentials: { username: 'tester', password: 'secret' } });
  folder = await createTemporaryFolder('skopeo');
  name = await pushImage(registry, 'proxy/image', image);
});
afterAll(async () => {
  await folder.remove();
  await registry.stop();
});

/** An executable that stands in for skopeo. */
function writeProgram(title: string, script: string): string {
  const path = folder.join(title);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

test('skopeo is not installed', async () => {
  await using store = await createSandbox({ env: { SKOPEO_PATH: '/nowhere/skopeo' } });
  expect(await failedPull(store, name)).toEqual({
    code: 'TOOL_MISSING',
    message: 'starting skopeo: the program is not installed',
    hint: 'Install it: apt install skopeo (Debian), dnf install skopeo (Fedora).',
  });
});

test('skopeo is too old to have an image proxy', async () => {
  const words = 'unknown command "experimental-image-proxy" for "skopeo"';
  const old = writeProgram('old', `echo 'level=fatal msg="${words.replaceAll('"', '\\"')}"' >&2; exit 1`);
  await using store = await createSandbox({ env: { SKOPEO_PATH: old } });
  expect(await failedPull(store, name)).toEqual({
    code: 'TOOL_TOO_OLD',
    message: 'starting the image proxy: this skopeo has none',
    hint: 'Install skopeo 1.5 or newer.',
  });
});

test('skopeo ends at once, with words and colours of its own', async () => {
  const broken = writeProgram('broken', "printf '\\033[31msegmentation fault\\033[0m\\n' >&2; exit 139");
  await using store = await createSandbox({ env: { SKOPEO_PATH: broken } });
  const error: unknown = await pullImage(store.host, name, {}).catch((reason: unknown) => reason);
  expect(error).toMatchObject({
    code: 'PROXY_FAILED',
    message: `pulling ${name}: reading from the image proxy: skopeo ended: segmentation fault`,
  });
});

test('skopeo is killed in the middle of a layer', async () => {
  await using faulty = await startFaultyRegistry(registry);
  await using store = await createSandbox({
    containers: {
      insecure: [faulty.address],
      credentials: { [faulty.address]: { username: 'tester', password: 'secret' } },
    },
  });
  const held = Promise.withResolvers<void>();
  const until = Promise.withResolvers<void>();
  faulty.setRules([
    {
      path: `/blobs/${layer?.digest}`,
      fault: { kind: 'hold', afterBytes: 1000, until: until.promise, reached: held.resolve },
    },
  ]);
  const pulling = pullImage(store.host, `${faulty.address}/proxy/image`, { retryPauses: [] }).catch(
    (reason: unknown) => reason,
  );
  await held.promise;
  const [skopeo, ...others] = listChildren('skopeo');
  expect(others).toEqual([]);
  process.kill(skopeo ?? 0, 'SIGKILL');
  expect(await pulling).toMatchObject({
    code: 'PROXY_FAILED',
    message: `pulling ${faulty.address}/proxy/image: layer ${layer?.digest}: reading from the image proxy: skopeo ended`,
  });
  until.resolve();
  faulty.setRules([]);
  expect((await pullImage(store.host, `${faulty.address}/proxy/image`, {})).fetched).toEqual([
    toDigest(layer?.digest ?? ''),
  ]);
});

test('credentials are in a private file in memory as long as they are needed, and never on a command line', async () => {
  const log = folder.join('argv.log');
  const watched = writeProgram(
    'watched',
    `echo "$@" >> ${log}
     for argument; do case "$argument" in --authfile=*) stat -Lc '%a %u' "\${argument#*=}" >> ${log}.mode;; esac; done
     exec skopeo "$@"`,
  );
  await using store = await createSandbox({
    containers: { insecure: [registry.address] },
    env: { SKOPEO_PATH: watched },
  });
  await pullImage(store.host, name, { credentials: { username: 'tester', password: 'secret' } });
  const argv = readFileSync(log, 'utf8');
  expect(argv).not.toMatch(/secret|tester|dGVzdGVyOnNlY3JldA/);
  const authFile = /--authfile=(\S+)/.exec(argv)?.[1] ?? '';
  expect(authFile).toMatch(new RegExp(`^/proc/${process.pid}/fd/[0-9]+$`));
  expect(readFileSync(`${log}.mode`, 'utf8')).toBe('600 0\n');
  expect(existsSync(authFile)).toBe(false);
});
