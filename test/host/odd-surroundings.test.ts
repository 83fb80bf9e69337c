/** Unusual surroundings of the program: folders for temporary files, the working directory, /proc. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { atomic } from '../support/atomic.ts';
import type { Registry } from '../support/registry.ts';
import { type ImageSource, openImageSource, serviceExports } from './container-images.ts';
import { command, runCommand, waitUntil } from './support/commands.ts';
import { checkouts, expectRefusal, inOwnMounts } from './support/refusal.ts';

let images: ImageSource;
let registry: Registry;
/** An installable image that is in the store. */
let service: string;
/** The output of `everything` in usual surroundings. */
let usual: string;

beforeAll(async () => {
  images = await openImageSource();
  registry = images.registry;
  service = await images.push('service', { exports: serviceExports, extra: manyFiles });
  await atomic(['pull', service]);
  usual = await command('sh', '-ec', everything(service));
});
afterAll(() => registry.stop());

/** Enough for a thread of its own. */
const manyFiles = Array.from({ length: 30 }, (_, index) => ({
  path: `usr/share/file-${index}`,
  content: `${index} `.repeat(20_000),
}));

/** Everything that loads native code or starts a thread or a program. */
const everything = (image: string): string => `
  atomic images delete -y ${image}
  atomic images prune >/dev/null
  atomic pull ${image}
  atomic install --system ${image}
  atomic images verify
  atomic uninstall service
  atomic images list -q`;

test.each([
  ['mounted noexec', 'mount -t tmpfs -o noexec tmpfs /tmp'],
  ['full', 'mount -t tmpfs -o size=4k tmpfs /tmp; ! cat /dev/zero >/tmp/filling 2>/dev/null'],
  ['not writable', 'mount -t tmpfs -o ro tmpfs /tmp'],
  ['missing', 'export TMPDIR=/nope'],
  ['a file', 'export TMPDIR=/etc/passwd'],
])('the folder for temporary files is %s: nothing needs it', async (_, script) => {
  expect(await command(...inOwnMounts(script, ['sh', '-ec', everything(service)]))).toBe(usual);
});

test('a service that may not create executable memory', async () => {
  const argv = ['systemd-run', '--quiet', '--pipe', '--wait', '--property=MemoryDenyWriteExecute=yes'];
  expect(await command(...argv, 'sh', '-ec', everything(service))).toBe(usual);
});

describe('a working directory that was deleted', () => {
  const fromDeleted = (...argv: readonly string[]): readonly string[] => [
    ...['sh', '-ec', 'mkdir /var/deleted; cd /var/deleted; rmdir /var/deleted; exec "$@"', 'sh'],
    ...argv,
  ];

  test('is not needed', async () => {
    expect(await command(...fromDeleted('atomic', '--version'))).toBe(await atomic(['--version']));
    expect(await command(...fromDeleted('sh', '-ec', everything(service)))).toBe(usual);
  });

  const relative = (path: string): string =>
    `finding ${path}: a relative path begins at the working directory, which was deleted`;

  test.each([
    [['mount', 'IMAGE', 'srv'], '', relative('srv')],
    [['unmount', 'srv'], '', relative('srv')],
    // There is such a file below /, where the program works then.
    [['pull', 'dockertar:etc/passwd'], 'pulling dockertar:etc/passwd: ', relative('etc/passwd')],
    [['pull', 'oci:srv'], 'pulling oci:srv: ', relative('srv')],
    [['images', 'export', 'IMAGE', 'oci:srv'], 'exporting IMAGE: ', relative('srv')],
    [['pull', '--authfile=etc/passwd', 'IMAGE'], '', relative('etc/passwd')],
    [['pull', '--cert-dir=etc', 'IMAGE'], '', relative('etc')],
    [['install', '--system', '--runtime=usr/bin/crun', 'IMAGE'], '', relative('usr/bin/crun')],
  ])('%j: a relative path is refused', async (words, step, reason) => {
    const named = (word: string): string => word.replace('IMAGE', service);
    await expectRefusal(fromDeleted('atomic', ...words.map(named)), {
      status: 2,
      stderr: [
        `error: ${named(step)}${reason}`,
        'hint: Write an absolute path, or change to another directory first: cd /',
      ],
    });
  });

  test('a relative location of the store is refused, an absolute one is not', async () => {
    const listing = (path: string): readonly string[] =>
      fromDeleted('env', `ATOMIC_OSTREE_REPO=${path}`, 'atomic', 'images', 'list');
    expect((await runCommand(listing('repo'))).stderr).toStartWith(`error: ${relative('repo')}\n`);
    expect(await command(...listing('/var/lib/repo'))).toBe('');
    expect(existsSync('/repo')).toBe(false);
  });

  test("a word that may be a registry's name is one", async () => {
    const { stderr } = await runCommand(fromDeleted('atomic', 'pull', `oci:${registry.address}/test/nope`));
    expect(stderr).toMatch(/^Warning: There is no folder .*\nerror: .*manifest unknown\n/);
  });
});

describe('a /proc that hides', () => {
  const onlyProcesses = 'mount -t proc -o subset=pid proc /proc';

  test('files about the machine: a change of the store is refused', async () => {
    const reason = 'Failed to open file “/proc/sys/kernel/random/boot_id”: No such file or directory';
    const other = await images.push('other', { exports: { ...serviceExports, note: 'another layer' } });
    await expectRefusal(inOwnMounts(onlyProcesses, ['atomic', 'pull', other]), {
      stdout: [`Image ${other} is being pulled to ostree ...`],
      stderr: [
        `error: pulling ${other}: opening the image store ${checkouts}/.storage/ostree: opening repo: ${reason}`,
        'hint: atomic needs all of /proc: a service that runs atomic needs ProcSubset=all; see `findmnt /proc`.',
      ],
    });
    expect(await command(...inOwnMounts(onlyProcesses, ['atomic', 'images', 'list']))).toBe(
      await atomic(['images', 'list']),
    );
  });

  test('files about the machine: an install shows nothing', async () => {
    const { stderr } = await runCommand(
      inOwnMounts(onlyProcesses, ['atomic', 'install', '--system', '--display', service]),
    );
    expect(stderr).toMatch(/cap_last_cap.*\nhint: atomic needs all of \/proc/);
  });

  test('files about the machine: a command waits for a held lock', async () => {
    const lock = `${checkouts}/.storage/ostree/atomic.lock`;
    const holding = spawn('flock', ['--exclusive', lock, 'sleep', '2'], { stdio: 'ignore' });
    await waitUntil(
      'the lock is held',
      async () => (await runCommand(['flock', '--nonblock', lock, 'true'])).status === 1,
    );
    const { stderr } = await runCommand(inOwnMounts(onlyProcesses, ['atomic', 'images', 'prune']));
    expect(stderr).toMatch(/^Waiting for [^\n]*\nerror: .*boot_id.*\nhint: atomic needs all of \/proc/);
    holding.kill();
  });

  test('processes: the files of a mount stay while a hidden process may see it', async () => {
    const script = `mkdir /var/look; atomic mount ${service} /var/look >/dev/null; echo mounted; exec sleep 1000`;
    const viewer = spawn('unshare', ['--mount', '--propagation=private', 'sh', '-ec', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise((resolve) => viewer.stdout.once('data', resolve));
    const folders = readdirSync(`${checkouts}/.atomic/mounts`);
    const argv = ['setpriv', '--bounding-set=-sys_ptrace', 'atomic', 'images', 'prune'];
    // Without the capability the namespaces of others cannot be told apart, but their tables can be read.
    await command(...inOwnMounts('mount -t proc proc /proc', argv));
    expect(readdirSync(`${checkouts}/.atomic/mounts`)).toEqual(folders);
    // Root is in the group that sees everything by default.
    for (const hiding of ['hidepid=invisible,gid=65534', 'hidepid=noaccess,gid=65534']) {
      await expectRefusal(inOwnMounts(`mount -t proc -o ${hiding} proc /proc`, argv), {
        stderr: [
          'error: looking for mounts of atomic: /proc hides processes, which may still see such a mount',
          'hint: Run the command where root sees all processes: with CAP_SYS_PTRACE, and without ProtectProc= or hidepid=.',
        ],
      });
    }
    await atomic(['images', 'prune']);
    expect(readdirSync(`${checkouts}/.atomic/mounts`)).toEqual(folders);
    viewer.kill('SIGKILL');
    await waitUntil('the mount is gone', async () => {
      await atomic(['images', 'prune']);
      return readdirSync(`${checkouts}/.atomic/mounts`).join() === 'lock';
    });
  });
});
