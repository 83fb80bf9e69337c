import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { atomic, failingAtomic, runAtomic } from '../support/atomic.ts';
import { tree } from '../support/tree.ts';
import { diffSnapshots, takeSnapshot } from '../support/tree-snapshot.ts';
import { type ImageSource, openImageSource, serviceExports } from './container-images.ts';
import { checkouts } from './host-state.ts';
import { runKilled } from './killed-runs.ts';
import { command, runCommand } from './support/commands.ts';
import { readActivity } from './support/services.ts';

const at = '/tmp/at';
const mounts = `${checkouts}/.atomic/mounts`;
const netRaw = Buffer.from('0100000200200000000000000000000000000000', 'hex');

let images: ImageSource;
let image: string;
beforeAll(async () => {
  images = await openImageSource();
  const setuidProgram = tree`f bin/id 04755 ${readFileSync('/usr/bin/id')}`;
  image = await images.push('web', {
    exports: serviceExports,
    extra: [...setuidProgram, ...tree`w var/tmp`],
  });
  await atomic(['install', '--system', image]);
  await command('systemctl', 'start', 'web');
  mkdirSync(at);
});
afterAll(() => images[Symbol.asyncDispose]());
afterEach(async () => {
  await runCommand(['umount', at]);
  await runAtomic(['unmount', at]);
  expect(listFolders()).toEqual([]);
});

const listFolders = (): string[] => readdirSync(mounts).filter((name) => name !== 'lock');

test.each<[string, () => string, string]>([
  ['an image', () => image, 'image'],
  ['a container', () => 'web', 'container'],
  ['a deployment', () => 'web.0', 'container'],
])('%s: the merged root, read-only, while the service runs', async (_, subject, kind) => {
  const name = kind === 'image' ? image : 'web';
  const [mounted, objects] = [
    `Mounted the ${kind} ${name} at ${at}\n`,
    `${checkouts}/.storage/ostree/objects`,
  ];
  const before = takeSnapshot(objects, { content: 'time' });
  expect(await atomic(['mount', '-o', 'noatime,ro', subject(), at])).toBe(mounted);
  const deployed = takeSnapshot(`${checkouts}/web.0/rootfs`);
  const relative = [...deployed].map(
    ([path, text]) => [path.replace(`${checkouts}/web.0/rootfs`, at), text] as const,
  );
  const difference = diffSnapshots(new Map(relative), takeSnapshot(at));
  // The runtime has made devices in the container's own root.
  const ofService = (line: string): boolean => kind === 'image' && line.startsWith(`- ${at}/dev/`);
  expect(difference.filter((line) => !ofService(line))).toEqual([]);
  expect(existsSync(`${at}/var/tmp`)).toBe(false);

  expect((await runCommand(['mount', '-o', 'remount,rw', at])).status).not.toBe(0);
  await command('mount', '-o', 'remount,bind,rw,nosuid,nodev', at);
  for (const script of [
    `echo x > ${at}/bin/run.sh`,
    `rm ${at}/bin/run.sh`,
    `mkdir ${at}/new`,
    `chmod 0 ${at}/bin/id`,
  ]) {
    expect((await runCommand(['sh', '-c', script])).stderr).toContain('Read-only file system');
  }
  expect(diffSnapshots(before, takeSnapshot(objects, { content: 'time' }))).toEqual([]);
  expect(await readActivity('web')).toBe('active');
  expect(await atomic(['umount', at])).toBe(`Unmounted ${at}\n`);
});

test('setuid files have no effect', async () => {
  const runAsNobody = async (program: string): Promise<string> =>
    (await command('setpriv', '--reuid=65534', '--clear-groups', program, '-u')).trim();
  await atomic(['mount', image, at]);
  expect(await runAsNobody(`${at}/bin/id`)).toBe('65534');
  await command('mount', '-o', 'remount,bind,suid', at);
  expect(await runAsNobody(`${at}/bin/id`)).toBe('0');
});

test('--json, and what is refused', async () => {
  const info = JSON.parse(readFileSync(`${checkouts}/web.0/info`, 'utf8'));
  const root = { id: info.revision, commit: info['ostree-commit'] };
  expect(JSON.parse(await atomic(['mount', '--json', 'web', at]))).toEqual({
    schemaVersion: 1,
    mounted: { kind: 'container', name: 'web', deployment: 0, ...root },
    directory: at,
  });
  expect(JSON.parse(await atomic(['unmount', '--json', at]))).toEqual({
    schemaVersion: 1,
    directory: at,
    outcome: 'unmounted',
    unmounted: { kind: 'container', name: 'web' },
    still_at: [],
    kept_by: null,
  });
  for (const [args, status, message] of [
    [['--live', 'web', at], 2, 'Containers and images managed through OSTree do not support --live.'],
    [['--shared', 'web', at], 2, 'Containers and images managed through OSTree do not support --shared.'],
    [['-o', 'rw', 'web', at], 2, "The mount option 'rw' is not supported"],
    [['web', '/etc'], 1, 'The destination path is not empty.'],
    [['nothing', at], 1, "Could not find any image matching 'nothing'"],
  ] as const) {
    expect(await failingAtomic(status, ['mount', ...args])).toStartWith(`error: ${message}\n`);
  }
  expect(await failingAtomic(1, ['unmount', '/etc'])).toStartWith(
    'error: unmounting /etc: nothing is mounted there\n',
  );
});

test('in use', async () => {
  await atomic(['mount', 'web', at]);
  const child = spawn('sleep', ['1000'], { cwd: `${at}/bin` });
  expect(await failingAtomic(1, ['unmount', at])).toBe(
    [
      `error: unmounting ${at}: it is in use by process ${child.pid} (sleep)`,
      'hint: It is still mounted. Stop the processes that use it, or leave the directory, and repeat the command.',
      '',
    ].join('\n'),
  );
  child.kill();
  await once(child, 'close');
  await atomic(['unmount', at]);
});

test('a mounted container is not uninstalled, and its service continues', async () => {
  await atomic(['mount', 'web', at]);
  expect(await failingAtomic(1, ['uninstall', 'web'])).toBe(
    [
      `error: removing the files of web: they are mounted at ${at}`,
      `hint: Run \`atomic unmount ${at}\` and repeat the command.`,
      '',
    ].join('\n'),
  );
  expect(await readActivity('web')).toBe('active');
  await atomic(['unmount', at]);
  await atomic(['mount', image, at]);
  // The image's files are the mount's own.
  await atomic(['uninstall', 'web']);
  expect(existsSync(`${at}/bin/run.sh`)).toBe(true);
  await atomic(['unmount', at]);
  await atomic(['install', '--system', image]);
  await command('systemctl', 'start', 'web');
});

test.each<[string, string, () => string[], boolean]>([
  ['before its checkout', 'link', () => ['mount', image, at], false],
  ['before the mount', 'mount', () => ['mount', image, at], false],
  ['before the mount of a container', 'mount', () => ['mount', 'web', at], false],
  ['before the end of the mount', 'umount2', () => ['unmount', at], true],
  ['before its files go', 'unlink', () => ['unmount', at], false],
  ['before its folders go', 'rmdir', () => ['unmount', at], false],
])('killed %s (%s): the next command removes the rest', async (_, call, args, isMounted) => {
  if (args()[0] === 'unmount') await atomic(['mount', image, at]);
  runKilled(args(), call);
  expect(listFolders()).toHaveLength(1);
  expect(existsSync(`${at}/bin`)).toBe(isMounted);
  if (isMounted) await atomic(['unmount', at]);
  await atomic(['mount', 'web', at]);
  expect(listFolders()).toHaveLength(1);
  await atomic(['unmount', at]);
  expect(listFolders()).toEqual([]);
});

test('a prune removes what a killed mount has left', async () => {
  runKilled(['mount', image, at], 'mount');
  const [left] = listFolders();
  expect(await atomic(['images', 'prune'])).toContain(`Removed ${checkouts}/.atomic/mounts/${left}\n`);
  expect(listFolders()).toEqual([]);
});

test('diff: a container and the version that it would get', async () => {
  const changed = tree`
    f bin/id 0755 @0:5 ${readFileSync('/usr/bin/id')}
    f bin/run.sh 0755 exit
    x bin/run.sh security.capability=${netRaw}
    f bin/su 04755 x
  `;
  await images.push('web', { exports: serviceExports, extra: changed });
  await atomic(['pull', image]);
  expect(await atomic(['diff', 'web.0', image])).toBe(
    `C /bin/id  (mode 4755 -> 0755, owner 0:0 -> 0:5)
C /bin/run.sh  (capabilities none -> cap_net_raw=ep, size 82 -> 4, content)
A /bin/su
A /var/tmp

New privileges:
  /bin/run.sh  cap_net_raw=ep
  /bin/su  setuid 0

2 added, 0 removed, 2 changed
`,
  );
  const document = JSON.parse(await atomic(['diff', '--json', image, 'web']));
  expect(document).toMatchObject({
    schemaVersion: 1,
    before: { kind: 'image', name: image },
    after: { kind: 'container', name: 'web', deployment: 0 },
    privileges: [{ path: '/bin/id', gained: ['setuid 0'] }],
  });
  expect(await atomic(['diff', 'web', 'web'])).toBe('');
});
