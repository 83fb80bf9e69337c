/** An administrator's session with the image store: the verbs that show images, and the deletion that frees space. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { atomic, failingAtomic, runAtomic } from '../support/atomic.ts';
import { writeHostContainersConfig } from '../support/containers-config.ts';
import { startFaultyRegistry } from '../support/faulty-registry.ts';
import { buildImage } from '../support/oci-image.ts';
import { pushImage } from '../support/registry-push.ts';
import { tree } from '../support/tree.ts';
import { type ImageSource, openImageSource, serviceExports } from './container-images.ts';
import { checkouts } from './host-state.ts';
import { command, waitUntil } from './support/commands.ts';

const repository = `${checkouts}/.storage/ostree`;
let images: ImageSource;
let service: string;
let other: string;
beforeAll(async () => {
  images = await openImageSource();
  service = await images.push('service', { exports: serviceExports });
  other = await images.push('other', { exports: undefined });
  await atomic(['pull', service]);
  await atomic(['pull', other]);
  await atomic(['install', '--system', service]);
});
afterAll(() => images[Symbol.asyncDispose]());

interface Inspected {
  readonly id: string;
  readonly names: readonly string[];
  readonly used_by: readonly string[];
  readonly ostree_commit: string;
  readonly layers: readonly { readonly digest: string }[];
  readonly config_digest: string;
}

async function inspect(name: string): Promise<Inspected> {
  const [document] = JSON.parse(await atomic(['images', 'inspect', name]));
  return document;
}

const refsOf = ({ layers, config_digest }: Inspected): string[] =>
  [config_digest, ...layers.map(({ digest }) => digest)].map((digest) => `ociimage/${digest.slice(7)}`);

async function checkStore(): Promise<readonly string[]> {
  await command('ostree', 'fsck', '--quiet', `--repo=${repository}`);
  const refs = await command('ostree', 'refs', `--repo=${repository}`);
  return refs.split('\n').filter((line) => line !== '');
}

test('list, info, history and version show an image', async () => {
  const inspected = await inspect(service);
  expect(inspected).toMatchObject({ names: [service], used_by: ['service'] });
  expect((await inspect(other)).used_by).toEqual([]);
  const info = await atomic(['images', 'info', service]);
  expect(info.replace(/[\d.]+ [KM]?B/g, 'SIZE')).toBe(
    [
      `Image Name: ${service}`,
      '',
      '',
      'Template variables with default value, but overridable with --set:',
      'WORD: hello',
      '',
      '',
      'Asks of the host, with the default values:',
      'to run as root',
      'namespaces of the host: network, ipc, uts, cgroup',
      'unconfined: no seccomp filter, setuid programs gain privileges, /proc is not masked',
      '',
      '',
      'Size on disk: SIZE',
      'Shared with other images: SIZE',
      'Only in this image: SIZE',
      '',
    ].join('\n'),
  );
  expect(await atomic(['info', inspected.id.slice(0, 12)])).toBe(info);
  const history = await atomic(['images', 'history', service]);
  expect(history.replace(/\d\d:\d\d|[\d.]+ [KM]?B/g, (text) => 'x'.repeat(text.length))).toMatch(
    /^ {3}CREATED {12}CREATED BY {3}SIZE +COMMENT\n {3}2016-09-1\d x{5} {3}layer 2 {6}x+\n {3}2016-09-1\d x{5} {3}layer 1 {6}x+\n$/,
  );
});

test('a used image is not deleted, until it has another name', async () => {
  expect(await failingAtomic(1, ['-y', 'images', 'delete', other, service])).toBe(
    [
      `error: deleting images: containers use ${service} (service)`,
      'hint: Uninstall the containers first, or repeat with -f: the containers keep their files and continue to run.',
      '',
    ].join('\n'),
  );
  expect(await atomic(['images', 'tag', service, 'service:good'])).toBe('');
  expect((await inspect('service:good')).names).toEqual([service, 'service:good'].sort());
  expect(await atomic(['images', 'delete', '-f', 'service:good'])).toBe('');
});

test('without an answer, and after the answer no, nothing is deleted', async () => {
  const question = [
    'Do you wish to delete the following images?',
    '',
    `   IMAGE${' '.repeat(other.length - 5)} STORAGE`,
    `   ${other} ostree`,
    '',
    'Confirm (y/N) ',
  ].join('\n');
  const aborted = `error: User aborted delete operation for ['${other}']\n`;
  expect(await runAtomic(['images', 'delete', other], { input: 'n\n' })).toMatchObject({
    stdout: '',
    stderr: `${question}${aborted}`,
    status: 2,
  });
  expect(await runAtomic(['images', 'delete', other])).toMatchObject({
    stderr: `${question}\n${aborted}hint: No answer was given; with -y the answer is yes.\n`,
    status: 2,
  });
  expect(await runAtomic(['images', 'delete', other], { input: 'yes\n' })).toMatchObject({
    stdout: '',
    stderr: question,
    status: 0,
  });
});

test('prune frees the deleted image and leftovers; the container of a deleted image lives on', async () => {
  const { ostree_commit: commit, ...inspected } = await inspect(service);
  await atomic(['images', 'delete', '-f', service]);
  expect(await atomic(['images', 'list'])).toBe('');
  mkdirSync(`${checkouts}/.web.0.new/rootfs`, { recursive: true });
  mkdirSync(`${repository}/tmp/atomic-scratch-dead/blobs`, { recursive: true });
  const before = await checkStore();
  const kept = refsOf({ ...inspected, ostree_commit: commit }).sort();
  const gone = before.filter((ref) => !kept.includes(ref)).sort();
  expect(gone).toHaveLength(2);
  const pruned = await atomic(['images', 'prune']);
  expect(pruned.split('\n')).toEqual([
    ...gone.map((ref) => `Deleting ${ref}`),
    `Removed ${checkouts}/.web.0.new`,
    `Removed ${repository}/tmp/atomic-scratch-dead`,
    expect.stringMatching(/^Freed \d+ objects, [\d.]+ KB$/),
    '',
  ]);
  expect([...(await checkStore())].sort()).toEqual(kept);
  // The commit that the container was installed from is whole, and its files are still the same as the store's.
  await command('ostree', 'ls', '-R', `--repo=${repository}`, commit);
  const [linked = ''] = (
    await command('find', `${repository}/objects`, '-samefile', `${checkouts}/service/rootfs/bin/busybox`)
  ).split('\n');
  expect(linked).toStartWith(`${repository}/objects/`);

  await command('systemctl', 'start', 'service');
  await waitUntil('the service answers', async () => existsSync('/run/service/word'));
  expect(readFileSync('/run/service/word', 'utf8')).toBe('hello\n');
  await command('systemctl', 'stop', 'service');
  // Nothing has to come over the wire again.
  expect(JSON.parse(await atomic(['pull', '--json', service])).fetched).toEqual([]);

  await atomic(['uninstall', 'service']);
  await atomic(['images', 'delete', '-f', '-a']);
  const result = JSON.parse(await atomic(['images', 'prune', '--json']));
  expect(result).toMatchObject({ schemaVersion: 1, deleted_refs: kept, leftovers: [] });
  expect(await checkStore()).toEqual([]);
  expect(spawnSync('find', [`${repository}/objects`, '-type', 'f'], { encoding: 'utf8' }).stdout).toBe('');
});

test('a prune waits for a pull, and removes no object of it', async () => {
  const image = buildImage({
    layers: [tree`f one 0644 ${'1'.repeat(9000)}`, tree`f two 0644 ${'2'.repeat(9000)}`],
  });
  await pushImage(images.registry, 'test/slow', image);
  const { promise: until, resolve: release } = Promise.withResolvers<void>();
  const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
  await using slow = await startFaultyRegistry(images.registry, [
    {
      path: `/blobs/${image.layers[1]?.digest}`,
      fault: { kind: 'hold', afterBytes: 1, until, reached: reach },
    },
  ]);
  await writeHostContainersConfig({ insecure: [images.registry.address, slow.address] });
  const name = `${slow.address}/test/slow`;
  const pulling = runAtomic(['pull', name]);
  await reached;
  const errors = '/tmp/prune-errors';
  const pruning = command('sh', '-c', `atomic images prune 2>${errors}`);
  const waiting =
    /^Waiting for the image store, held by process \d+: atomic pull 127\.0\.0\.1:\d+\/test\/slow\n$/;
  await waitUntil('the prune waits', async () => waiting.test(readFileSync(errors, 'utf8')));
  release();
  expect(await pulling).toMatchObject({ status: 0 });
  expect(await pruning).toBe('Freed 0 objects, 0 B\n');
  await checkStore();
  expect((await inspect(name)).layers).toHaveLength(2);
});
