/** Backups of the folder of the containers, restored as docs/operating.md says, on a host that has lost the rest. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test';
import { existsSync, lstatSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { atomic, runAtomic } from '../support/atomic.ts';
import { tree } from '../support/tree.ts';
import { type ImageSource, openImageSource, serviceExports } from './container-images.ts';
import { checkouts } from './host-state.ts';
import { command, waitUntil } from './support/commands.ts';
import { readActivity } from './support/services.ts';

const backup = '/var/lib/containers/backup';
const state = '/var/lib/notes/volumes';
const names = ['notes', 'web'];

let images: ImageSource;
let web: string;
beforeAll(async () => {
  images = await openImageSource();
  web = await images.push('web', {
    exports: serviceExports,
    extra: tree`f exports/hostfs/usr/local/lib/backup/web 0644 for the host`,
  });
  const notes = await images.push('notes', {
    exports: undefined,
    config: { Cmd: ['/bin/sh', '-c', 'echo line >>/data/note; exec sleep 1000'], Volumes: { '/data': {} } },
    extra: tree`
      d data 0750 @26:27
      f data/seed 0640 @26:27 of the image
    `,
  });
  await atomic(['install', '--system', '--name', 'web', web]);
  await atomic(['install', '--name', 'notes', notes]);
  await command('systemctl', 'start', ...names);
});
afterAll(() => images[Symbol.asyncDispose]());
beforeEach(async () => {
  await atomic(['containers', 'verify', '--repair', '--all']);
  await command('systemctl', 'start', ...names);
});

/** What a host loses that boots from another disk: everything outside CHECKOUTS. */
async function loseHost(): Promise<void> {
  await command('systemctl', 'stop', ...names);
  await command('sh', '-c', 'rm -r /etc/systemd/system/web.service /etc/systemd/system/notes.service');
  await command('sh', '-c', 'rm -rf /etc/systemd/system/multi-user.target.wants /etc/tmpfiles.d/web.conf');
  await command('rm', '-rf', '/run/web', '/run/notes', '/var/lib/notes', '/usr/local/lib/backup');
  await command('systemctl', 'daemon-reload');
  rmSync(checkouts, { recursive: true });
}

async function expectServices(): Promise<void> {
  expect(await atomic(['containers', 'verify'])).toBe('2 containers: all in order.\n');
  expect(readFileSync('/usr/local/lib/backup/web', 'utf8')).toBe('for the host');
  const { uid, mode } = statSync(`${state}/data`);
  expect({ uid, mode: mode & 0o7777 }).toEqual({ uid: 26, mode: 0o750 });
  expect(await command('systemctl', 'is-enabled', ...names)).toBe('enabled\nenabled\n');
  await atomic(['start', ...names]);
  for (const name of names) expect(await readActivity(name)).toBe('active');
  await waitUntil('it writes into its volume', async () => existsSync(`${state}/data/note`));
  expect(readFileSync(`${state}/data/seed`, 'utf8')).toBe('of the image');
}

test('tar keeps hard links: --repair makes unit, tmpfiles.d file, host files and volumes on the new host', async () => {
  const archive = '/var/lib/containers/backup.tar';
  await command(
    'tar',
    '--create',
    '--file',
    archive,
    '--xattrs',
    '--acls',
    '-C',
    '/var/lib/containers',
    'atomic',
  );
  await loseHost();
  await command(
    'tar',
    '--extract',
    '--file',
    archive,
    '--xattrs',
    '--xattrs-include=*',
    '--acls',
    '-C',
    '/var/lib/containers',
  );
  rmSync(archive);
  const found = await runAtomic(['containers', 'verify']);
  expect(found.status).toBe(1);
  expect(found.stdout).toMatch(/ notes +volume +missing +\/var\/lib\/notes\/volumes\/data\n/);
  expect(found.stdout).not.toContain('copied');
  await atomic(['containers', 'verify', '--repair']);
  await expectServices();
});

test('a copy without hard links is linked again, and needs the space once', async () => {
  await command(
    'cp',
    '--recursive',
    '--preserve=mode,ownership,timestamps,xattr',
    '--no-dereference',
    checkouts,
    backup,
  );
  await loseHost();
  renameSync(backup, checkouts);
  const busybox = `${checkouts}/web.0/rootfs/bin/busybox`;
  expect(lstatSync(busybox).nlink).toBe(1);
  const found = await runAtomic(['containers', 'verify']);
  expect(found.stdout).toMatch(/ web +files +copied +web\.0\/rootfs\n/);
  await atomic(['containers', 'verify', '--repair']);
  expect(lstatSync(busybox).nlink).toBeGreaterThan(2);
  await expectServices();
});

test('a lost /etc: the running services stay, and everything is made again', async () => {
  await command(
    'sh',
    '-c',
    'rm -r /etc/systemd/system/*.service /etc/systemd/system/*.wants /etc/tmpfiles.d/*.conf',
  );
  await command('systemctl', 'daemon-reload');
  await atomic(['containers', 'verify', '--repair']);
  for (const name of names) expect(await readActivity(name)).toBe('active');
  await expectServices();
});

test('a lost store: services run on, each command says what is missing, and a pull brings it back', async () => {
  renameSync(`${checkouts}/.storage`, '/var/lib/containers/lost');
  await command('systemctl', 'restart', ...names);
  expect(await atomic(['containers', 'list', '-q'])).toBe('notes\nweb\n');
  const found = await runAtomic(['containers', 'verify', 'web']);
  expect(found.status).toBe(1);
  expect(found.stdout).toMatch(/ web +image +missing +\S+\/test\/web:latest\n/);
  expect((await runAtomic(['containers', 'verify', '--repair', 'web'])).status).toBe(1);
  expect(existsSync(`${checkouts}/web.0/rootfs/bin/busybox`)).toBe(true);

  for (const name of names) await atomic(['pull', `${images.registry.address}/test/${name}`]);
  await atomic(['containers', 'verify', '--repair']);
  expect(lstatSync(`${checkouts}/web.0/rootfs/bin/busybox`).nlink).toBeGreaterThan(2);
  await expectServices();
  await atomic(['images', 'prune']);
  await command('ostree', 'fsck', '--quiet', `--repo=${checkouts}/.storage/ostree`);
  expect(await atomic(['images', 'verify'])).toContain('sound');
  rmSync('/var/lib/containers/lost', { recursive: true });
});
