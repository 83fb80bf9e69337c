/**
 * Updates on disks that are full before the stop of the service, or get full while the new service starts: the old
 * deployment runs again, although not a byte can be written.
 */
import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { atomic, runAtomic } from '../support/atomic.ts';
import { tree } from '../support/tree.ts';
import { type ImageSource, openImageSource, serviceExports } from './container-images.ts';
import { runKilled } from './killed-runs.ts';
import { command, runCommand, waitUntil } from './support/commands.ts';
import { readActivity, readInvocation } from './support/services.ts';

const trial = '/run/full-disk';
const disk = `${trial}/disk`;
const checkouts = `${disk}/atomic`;
const units = '/etc/systemd/system';
const tmpfiles = '/etc/tmpfiles.d';
const hostFolder = '/usr/local/lib/full-disk';
const hostFile = `${hostFolder}/word`;
const full = [disk, units, tmpfiles, hostFolder];
const fill = `${trial}/fill`;
const update = ['containers', 'update', '--accept-widening', '--settle', '0.5', 'web'];

let images: ImageSource;

beforeAll(async () => {
  images = await openImageSource();
  mkdirSync(disk, { recursive: true });
  mkdirSync(hostFolder);
  await command('truncate', '--size=24M', `${disk}.img`);
  // No block is reserved for root.
  await command('mkfs.ext4', '-q', '-m', '0', `${disk}.img`);
  await command('mount', '-o', 'loop', `${disk}.img`, disk);
  for (const folder of [units, tmpfiles]) {
    await command('cp', '--archive', folder, `${trial}/copy`);
    await command('mount', '-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', folder);
    await command('cp', '--archive', '--no-target-directory', `${trial}/copy`, folder);
    rmSync(`${trial}/copy`, { recursive: true });
  }
  await command('mount', '-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', hostFolder);
  process.env.ATOMIC_OSTREE_CHECKOUT_PATH = checkouts;
  const lines = full.map((folder) => `dd if=/dev/zero of=${folder}/filling bs=1k 2>/dev/null`);
  writeFileSync(fill, `#!/bin/sh\n${lines.join('\n')}\nexit $1\n`, { mode: 0o755 });
});
afterAll(async () => {
  await runCommand(['systemctl', 'stop', 'web']);
  for (const folder of full) await command('umount', folder);
  await images[Symbol.asyncDispose]();
});

beforeEach(async () => {
  for (const folder of full) rmSync(`${folder}/filling`, { force: true });
  if (existsSync(`${checkouts}/web`)) await atomic(['uninstall', 'web']);
});

/** Pushes and pulls a version; `status` is that of a program that fills the disks before the service starts. */
async function pullVersion(word: string, status?: number): Promise<string> {
  const unit = serviceExports['service.template'] ?? '';
  const image = await images.push('service', {
    exports: {
      ...serviceExports,
      'manifest.json': JSON.stringify({ defaultValues: { WORD: word } }),
      'service.template':
        status === undefined
          ? unit
          : unit.replace('ExecStart=', `ExecStartPre=${fill} ${status}\nExecStart=`),
      'tmpfiles.template': `D /run/$NAME 0755 - - -\n# ${word}\n`,
    },
    extra: tree`f exports/hostfs${hostFile} 0644 ${word}`,
  });
  await atomic(['pull', image]);
  return image;
}

async function installOld(runtime = '/usr/sbin/runc'): Promise<void> {
  const image = await pullVersion('old');
  await atomic(['install', '--name', 'web', '--runtime', runtime, image]);
  await start();
}

/** Waits until SIGTERM can end the service. */
async function start(): Promise<void> {
  await command('systemctl', 'start', 'web');
  await waitUntil('web has written its word', async () => existsSync('/run/web/word'));
}

async function expectOld(): Promise<void> {
  expect(readlinkSync(`${checkouts}/web`)).toBe(`${checkouts}/web.0`);
  expect(await readActivity('web')).toBe('active');
  expect(readFileSync(`${units}/web.service`, 'utf8')).toBe(
    readFileSync(`${checkouts}/web.0/web.service`, 'utf8'),
  );
  expect(readFileSync(`${tmpfiles}/web.conf`, 'utf8')).toContain('# old');
  expect(readFileSync(hostFile, 'utf8')).toBe('old');
  for (const folder of [checkouts, units, tmpfiles, hostFolder]) {
    expect(readdirSync(folder).filter((name) => /^\.(?:web|word)/.test(name))).toEqual([]);
  }
  expect(readdirSync(`${checkouts}/.atomic/journal`)).toEqual([]);
  expect(existsSync(`${checkouts}/web.1`)).toBe(false);
}

test.each(['/usr/sbin/runc', '/usr/bin/crun'])(
  'a start that fills the disks and fails, with %s',
  async (runtime) => {
    await installOld(runtime);
    await pullVersion('new', 1);
    const run = await runAtomic(update);
    expect(run.stderr).toContain('web.service is not up');
    expect(run.stderr).toContain('; web.0 is restored');
    expect(run.status).toBe(1);
    await expectOld();
  },
);

test('a service that is up on full disks: its update cannot be recorded', async () => {
  await installOld();
  await pullVersion('new', 0);
  const run = await runAtomic(update);
  expect(run.stderr).toContain('no space left on the filesystem; web.0 is restored');
  await expectOld();
});

test.each([['rename', `${units}/.web.service.spare`]])(
  'a kill on full disks, at the %s of %s',
  async (call, path) => {
    await installOld();
    await pullVersion('new', 1);
    runKilled(update, call, path);
    expect(await atomic(['recover'])).toContain('web');
    await expectOld();
  },
);

test('a rollback that fills the disks and fails', async () => {
  const image = await pullVersion('new', 1);
  await atomic(['install', '--name', 'web', image]);
  await pullVersion('old');
  await atomic(['containers', 'update', 'web']);
  await start();
  const run = await runAtomic(['containers', 'rollback', 'web']);
  expect(run.stderr).toContain('; web.1 is restored');
  expect(readlinkSync(`${checkouts}/web`)).toBe(`${checkouts}/web.1`);
  expect([await readActivity('web'), readFileSync(hostFile, 'utf8')]).toEqual(['active', 'old']);
});

test('a disk that is full or read-only before: the service does not notice', async () => {
  await installOld();
  await pullVersion('new');
  const invocation = await readInvocation('web');
  for (const folder of full) {
    await runCommand(['dd', 'if=/dev/zero', `of=${folder}/filling`, 'bs=1k']);
    const run = await runAtomic(update);
    expect([folder, run.status, run.stderr]).toEqual([folder, 1, expect.stringMatching(/space|are free/)]);
    rmSync(`${folder}/filling`);
    await expectOld();
  }
  await atomic(update);
  await pullVersion('newer');
  await atomic(['containers', 'rollback', '--settle', '0.5', 'web']);
  const second = await readInvocation('web');
  for (const folder of full) {
    await command('mount', '-o', 'remount,ro', folder);
    for (const args of [update, ['containers', 'rollback', 'web']]) {
      const run = await runAtomic(args);
      expect([folder, run.status, run.stderr]).toEqual([folder, 1, expect.stringMatching(/read-only/)]);
    }
    await command('mount', '-o', 'remount,rw', folder);
    expect(await readInvocation('web')).toBe(second);
  }
  expect(second).not.toBe(invocation);
});
