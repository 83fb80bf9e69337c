/** Damage under running services is found, named and repaired without a stop, and does not grow. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { atomic, runAtomic } from '../support/atomic.ts';
import { tree } from '../support/tree.ts';
import { type ImageSource, openImageSource, serviceExports } from './container-images.ts';
import { checkouts } from './host-state.ts';
import { runKilled } from './killed-runs.ts';
import { command } from './support/commands.ts';
import { readActivity, readInvocation } from './support/services.ts';

const repository = `${checkouts}/.storage/ostree`;
const scratch = `${repository}/tmp/atomic-scratch-repair`;
const busybox = `${checkouts}/web/rootfs/bin/busybox`;
const data = `${checkouts}/web/rootfs/etc/data`;

let images: ImageSource;
let image: string;
beforeAll(async () => {
  images = await openImageSource();
  image = await images.push('service', {
    exports: serviceExports,
    extra: tree`f etc/data 0644 as it was built`,
  });
  await atomic(['install', '--system', '--name', 'web', image]);
  await command('systemctl', 'start', 'web');
});
afterAll(() => images[Symbol.asyncDispose]());

async function readLayers(): Promise<string[]> {
  const { remote } = JSON.parse(await atomic(['images', 'verify', '--remote', '--json', image]));
  expect(remote).toMatchObject([{ reference: image, status: 'up-to-date' }]);
  return (await command('skopeo', 'inspect', '--raw', `docker://${image}`).then(JSON.parse)).layers.map(
    ({ digest }: { digest: string }) => digest,
  );
}

async function expectSound(): Promise<void> {
  const { stdout, status } = await runAtomic(['images', 'verify']);
  expect(stdout).toMatch(new RegExp(`^${image}: \\d+ objects, \\d+\\.\\d\\d MB, sound\n$`));
  expect(status).toBe(0);
  await command('ostree', 'fsck', '--quiet', `--repo=${repository}`);
  for (const path of [busybox, data]) expect(statSync(path).nlink).toBe(2);
  expect(existsSync(scratch)).toBe(false);
  expect(existsSync(`${checkouts}/.web.0.fix`)).toBe(false);
}

test('a running service survives the repair of its files, and starts from the sound file', async () => {
  const [base = ''] = await readLayers();
  await expectSound();
  const invocation = await readInvocation('web');
  const pid = (await command('systemctl', 'show', '--property=MainPID', '--value', 'web')).trim();
  const damaged = statSync(busybox).ino;
  chmodSync(busybox, 0o500);
  await images.registry.forgetRequests();

  const found = await runAtomic(['images', 'verify', image]);
  expect(found.status).toBe(1);
  const lines = found.stdout.split('\n');
  expect(lines[0]).toMatch(
    new RegExp(
      `^${image}: /bin/busybox is damaged: its checksum is [0-9a-f]{64} \\(file [0-9a-f]{64}; layer ${base}; used by web\\)$`,
    ),
  );
  expect(lines[1]).toMatch(new RegExp(`^${image}: \\d+ objects, [\\d.]+ [KM]B, 1 damaged$`));
  expect(lines.slice(2)).toEqual([`To repair: atomic images verify --repair ${image}`, '']);
  expect(await images.registry.blobGets()).toEqual([]);

  const repaired = await runAtomic(['images', 'verify', '--repair', image]);
  expect(repaired.status).toBe(0);
  expect(repaired.stdout.split('\n')).toEqual([
    `Pulling layer ${base.slice('sha256:'.length)}`,
    lines[0] ?? '',
    `${image}: repaired: layers fetched: ${base}; files replaced: 1 in web`,
    expect.stringMatching(/ MB, sound$/),
    'Running services use the old files until they are restarted: systemctl try-restart web',
    '',
  ]);
  expect(await images.registry.blobGets()).toEqual([base]);
  expect(await readInvocation('web')).toBe(invocation);
  expect(await readActivity('web')).toBe('active');
  expect(statSync(`/proc/${pid}/root/bin/busybox`).mode & 0o7777).toBe(0o755);
  expect(statSync(busybox).ino).not.toBe(damaged);
  await expectSound();

  await command('systemctl', 'restart', 'web');
  expect(await readActivity('web')).toBe('active');
  await expectSound();
});

test('mounts that still show damaged files are named with the commands that help; other mounts are not', async () => {
  const other = await images.push('other', { exports: undefined });
  const [ofImage, ofContainer, unconcerned] = ['/tmp/of image', '/tmp/of-container', '/tmp/unconcerned'];
  for (const directory of [ofImage, ofContainer, unconcerned]) mkdirSync(directory);
  await atomic(['pull', other]);
  await atomic(['mount', image, ofImage]);
  await atomic(['mount', 'web', ofContainer]);
  await atomic(['mount', other, unconcerned]);
  writeFileSync(data, 'written through the hard link');
  expect(readFileSync(`${ofContainer}/etc/data`, 'utf8')).toBe('written through the hard link');
  const repaired = await atomic(['images', 'verify', '--repair', image]);
  expect(readFileSync(`${ofImage}/etc/data`, 'utf8')).toBe('written through the hard link');
  // The content of a mounted container, an overlay whose lower files have changed, is undefined.
  const shown = repaired.split('\n').filter((line) => line.includes('mounted again'));
  expect(shown).toEqual([
    `${ofImage} shows the old files until it is mounted again: atomic umount '${ofImage}' && atomic mount ${image} '${ofImage}'`,
    `${ofContainer} shows the old files until it is mounted again: atomic umount ${ofContainer} && atomic mount web.0 ${ofContainer}`,
  ]);
  for (const line of shown) {
    const [, remount = ''] = line.split('mounted again: ');
    await command('sh', '-c', remount);
  }
  for (const directory of [ofImage, ofContainer]) {
    expect(readFileSync(`${directory}/etc/data`, 'utf8')).toBe('as it was built');
  }
  const again = JSON.parse(await atomic(['images', 'verify', '--repair', '--json']));
  expect(again.stale_mounts).toEqual([]);
  for (const directory of [ofImage, ofContainer, unconcerned]) await atomic(['umount', directory]);
  await atomic(['images', 'delete', '-f', other]);
});

const kills: [call: string, path: string][] = [
  ['rename', `${scratch}/placing`],
  ['syncfs', repository],
  ['rename', `${checkouts}/.web.0.fix`],
];

test.each(kills)('a repair that is killed at %s of %s is finished by the next one', async (call, path) => {
  writeFileSync(data, 'written through the hard link');
  runKilled(['images', 'verify', '--repair'], call, path);
  await atomic(['images', 'verify', '--repair']);
  expect(readFileSync(data, 'utf8')).toBe('as it was built');
  await expectSound();
});

test('without the registry: the damage and the containers concerned are named; the damage does not grow', async () => {
  truncateSync(data, 3);
  // Without this file the registry is asked for TLS, which it does not have.
  const conf = '/etc/containers/registries.conf.d/99-test.conf';
  renameSync(conf, `${conf}.away`);
  try {
    const run = await runAtomic(['images', 'verify', '--repair', '--json']);
    expect(run.status).toBe(1);
    const [found] = JSON.parse(run.stdout).images;
    expect(found.repair.failure).toContain('the server answers with HTTP, not with HTTPS');
    const text = await runAtomic(['images', 'verify', '--repair']);
    expect(text.status).toBe(1);
    expect(text.stdout).toContain(`${image}: not repaired: `);
    expect(text.stdout).toContain('; containers affected: web\n');
    expect(readFileSync(data, 'utf8')).toBe('as ');
    expect(await readActivity('web')).toBe('active');
  } finally {
    renameSync(`${conf}.away`, conf);
  }
  await atomic(['images', 'verify', '--repair']);
  await expectSound();
});
