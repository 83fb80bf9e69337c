/** What a plain image writes: its volumes and /var/lib last, the other folders do not. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test';
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { atomic, failingAtomic, runAtomic } from '../support/atomic.ts';
import type { TarEntry } from '../support/tar-writer.ts';
import { tree } from '../support/tree.ts';
import { type ImageSource, openImageSource } from './container-images.ts';
import { checkouts, readHostState } from './host-state.ts';
import { command, runCommand, waitUntil } from './support/commands.ts';
import { diffLooks, type HostLook } from './support/own-changes.ts';

const root = '/var/lib/notes/volumes';
/** Writes one line into each folder that a daemon expects to write, then does what python and cron do: no trap. */
const script = `
for folder in /data /var/lib/notes /var/log /var/cache /run /tmp /var/tmp; do echo line >>$folder/note || exit 3; done
touch /etc/note 2>/dev/null && exit 4
exec /bin/busybox sleep 1000
`;
const files: TarEntry[] = tree`
  d data 02770 @26:27
  f data/seed 0640 @26:27 of the image
  d var/lib 0755
  d var/lib/notes 0700
  d var/log 0755
  d var/cache 0755
`;
const plain = (more: readonly TarEntry[] = [], volumes = ['/data']) => ({
  exports: undefined,
  config: {
    Cmd: ['/bin/sh', '-c', script],
    Volumes: Object.fromEntries(volumes.map((path) => [path, {}])),
  },
  extra: [...files, ...more],
});

let images: ImageSource;
let image: string;
let clean: HostLook;
beforeAll(async () => {
  images = await openImageSource();
  image = await images.push('notes', plain());
  await atomic(['install', image]);
  await atomic(['uninstall', '--purge', '-y', 'notes']);
  clean = readHostState();
});
afterAll(() => images[Symbol.asyncDispose]());
beforeEach(async () => {
  await runAtomic(['uninstall', '--purge', '-y', 'notes']);
});

/** Waits until the services have written so many lines since the volume was made. */
async function waitForLines(count: number): Promise<void> {
  await waitUntil(`there are ${count} lines`, async () =>
    ['/data/note', '/var/lib/notes/note'].every(
      (path) => readFileSync(`${root}${path}`, 'utf8') === 'line\n'.repeat(count),
    ),
  );
}

test.each(['/usr/bin/runc', '/usr/bin/crun'])(
  'data outlives a restart, an update, a rollback and an uninstall: %s',
  async (runtime) => {
    await atomic(['install', '--runtime', runtime, image]);
    const { uid, gid, mode } = statSync(`${root}/data`);
    expect({ uid, gid, mode: mode & 0o7777 }).toEqual({ uid: 26, gid: 27, mode: 0o2770 });
    expect(readFileSync(`${root}/data/seed`, 'utf8')).toBe('of the image');
    for (const starts of [1, 2]) {
      await command('systemctl', 'restart', 'notes');
      await waitForLines(starts);
    }
    expect(existsSync(`${root}/var/log`)).toBe(false);

    const next = [
      { path: 'data/seed', content: 'newer' },
      { path: 'srv/more/x', content: 'x' },
    ];
    await images.push('notes', plain(next, ['/data', '/srv/more']));
    await atomic(['containers', 'update', '--pull', '--accept-widening', '--settle', '1', 'notes']);
    expect(readFileSync(`${root}/data/seed`, 'utf8')).toBe('of the image');
    expect(readFileSync(`${root}/srv/more/x`, 'utf8')).toBe('x');
    await atomic(['containers', 'rollback', '--settle', '1', 'notes']);
    await waitForLines(4);
    await images.push('notes', plain());
    await atomic(['pull', image]);

    const removal = await runAtomic(['uninstall', 'notes']);
    expect(`${removal.stdout}${removal.stderr}`).toContain(`Kept: ${root}\n`);
    await atomic(['install', '--runtime', runtime, image]);
    await command('systemctl', 'start', 'notes');
    await waitForLines(5);
    expect(await failingAtomic(2, ['uninstall', '--purge', 'notes'])).toContain(
      "User aborted delete operation for ['notes']",
    );
    expect(existsSync(`${root}/data/note`)).toBe(true);
    await atomic(['uninstall', '--purge', '-y', 'notes']);
    expect(diffLooks(clean, readHostState())).toEqual([]);
  },
);

test('a service that does not handle SIGTERM ends at once, and is not failed', async () => {
  await atomic(['install', image]);
  await command('systemctl', 'start', 'notes');
  await waitForLines(1);
  const begin = performance.now();
  await runCommand(['systemctl', 'stop', 'notes']);
  expect(performance.now() - begin).toBeLessThan(9000);
  expect(await runCommand(['systemctl', 'is-failed', 'notes'])).toMatchObject({ stdout: 'inactive\n' });
});

test('the volumes of an uninstalled container are purged by its name', async () => {
  await atomic(['install', image]);
  await atomic(['uninstall', 'notes']);
  expect(existsSync(`${root}/data/seed`)).toBe(true);
  await atomic(['uninstall', '--purge', '-y', 'notes']);
  expect(diffLooks(clean, readHostState())).toEqual([]);
  expect(await failingAtomic(1, ['uninstall', '--purge', '-y', 'notes'])).toContain(
    "System container 'notes' is not installed",
  );
});

test('an install that fails and an update whose service does not come up leave no volumes', async () => {
  const bad = await images.push(
    'bad',
    plain([{ path: 'data/x', content: 'x' }], ['/data', '/bin/busybox/x']),
  );
  await atomic(['pull', bad]);
  expect(await failingAtomic(1, ['install', '--name', 'notes', bad])).toContain(
    "its volume '/bin/busybox/x'",
  );
  writeFileSync('/etc/tmpfiles.d/notes.conf', '');
  await failingAtomic(1, ['install', image]);
  rmSync('/etc/tmpfiles.d/notes.conf');
  expect(diffLooks(clean, readHostState())).toEqual([]);

  await atomic(['install', image]);
  await command('systemctl', 'start', 'notes');
  await waitForLines(1);
  const dying = plain([], ['/data', '/srv']);
  await images.push('notes', { ...dying, config: { ...dying.config, Cmd: ['/bin/sh', '-c', 'exit 5'] } });
  const update = await runAtomic([
    'containers',
    'update',
    '--pull',
    '--accept-widening',
    '--settle',
    '1',
    'notes',
  ]);
  expect(update).toMatchObject({ status: 1, stderr: expect.stringContaining('is not up') });
  expect(existsSync(`${root}/srv`)).toBe(false);
  await waitForLines(2);
  await images.push('notes', plain());
  await atomic(['pull', image]);
});

test('after a crash while volumes are filled, nothing is left', async () => {
  const run = await runCommand([
    ...[
      'strace',
      '-f',
      '-qq',
      '-o',
      '/dev/null',
      '-e',
      'trace=rename',
      '-e',
      'inject=rename:signal=KILL:when=1',
      '-P',
      `${root}/.atomic-new`,
    ],
    ...['atomic', 'install', image],
  ]);
  expect(run.status).not.toBe(0);
  await atomic(['recover']);
  expect(existsSync(`${checkouts}/notes`)).toBe(false);
  expect(existsSync('/var/lib/notes')).toBe(false);
});
