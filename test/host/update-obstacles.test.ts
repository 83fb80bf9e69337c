/**
 * Updates and rollbacks of containers that a person, a crash or another program has brought into an unusual state: they
 * are refused before the service stops, or end with the old deployment.
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
import { pushImage } from '../support/registry-push.ts';
import { buildTestImage, type ImageSource, openImageSource, serviceExports } from './container-images.ts';
import { checkouts } from './host-state.ts';
import { journals } from './killed-runs.ts';
import { command, waitUntil } from './support/commands.ts';
import { readActivity, readEnablement, readInvocation } from './support/services.ts';

const quick = ['--settle', '0.5'];
const update = ['containers', 'update', ...quick, 'web'];
const rollback = ['containers', 'rollback', ...quick, 'web'];
const unit = '/etc/systemd/system/web.service';
const dropIns = '/run/systemd/system/web.service.d';

let images: ImageSource;

beforeAll(async () => {
  images = await openImageSource();
});
afterAll(() => images[Symbol.asyncDispose]());

/** A running service with a newer image in the store. */
beforeEach(async () => {
  if (existsSync(`${checkouts}/web`)) await atomic(['uninstall', 'web']);
  await atomic(['install', '--name', 'web', await pullVersion('old')]);
  await start();
  await pullVersion('new');
});

/** Waits until SIGTERM can end the service. */
async function start(): Promise<void> {
  await command('systemctl', 'start', 'web');
  await waitUntil('web has written its word', async () => existsSync('/run/web/word'));
}

async function pullVersion(word: string, script?: string, unitLines = ''): Promise<string> {
  const image = await images.push('service', {
    exports: {
      ...serviceExports,
      'manifest.json': JSON.stringify({ defaultValues: { WORD: word } }),
      'service.template': `${serviceExports['service.template'] ?? ''}[Service]\n${unitLines}`,
    },
    extra:
      script === undefined ? [] : [{ path: 'bin/run.sh', mode: 0o755, content: `#!/bin/sh\n${script}\n` }],
  });
  await atomic(['pull', image]);
  return image;
}

function readWord(): string {
  return JSON.parse(readFileSync(`${checkouts}/web/info`, 'utf8')).values.WORD;
}

async function expectWhole(number: 0 | 1, word: string): Promise<void> {
  expect(readlinkSync(`${checkouts}/web`)).toBe(`${checkouts}/web.${number}`);
  expect(readWord()).toBe(word);
  expect(readFileSync(unit, 'utf8')).toBe(readFileSync(`${checkouts}/web.${number}/web.service`, 'utf8'));
  for (const folder of [checkouts, '/etc/systemd/system', '/etc/tmpfiles.d']) {
    expect(readdirSync(folder).filter((name) => name.startsWith('.web'))).toEqual([]);
  }
  expect(readdirSync(journals)).toEqual([]);
}

/** Runs a command that must be refused while the service runs on. */
async function expectRefusal(args: readonly string[], words: string): Promise<void> {
  const invocation = await readInvocation('web');
  const { status, stderr } = await runAtomic(args);
  expect(stderr).toContain(words);
  expect(status).toBe(1);
  expect(await readInvocation('web')).toBe(invocation);
  expect(await readActivity('web')).toBe('active');
  expect(readdirSync(journals)).toEqual([]);
}

async function writeDropIn(text: string): Promise<void> {
  mkdirSync(dropIns, { recursive: true });
  writeFileSync(`${dropIns}/mine.conf`, text);
  await command('systemctl', 'daemon-reload');
}

async function removeDropIn(): Promise<void> {
  rmSync(dropIns, { recursive: true, force: true });
  await command('systemctl', 'daemon-reload');
}

test('a unit that systemd does not load, because of a drop-in or a mask elsewhere', async () => {
  await atomic(update);
  await pullVersion('newer');
  await writeDropIn('[Service]\nExecStart=\n');
  for (const args of [update, rollback])
    await expectRefusal(args, 'the load state of web.service is bad-setting');
  await removeDropIn();
  mkdirSync('/etc/systemd/system.control', { recursive: true });
  await command('ln', '-s', '/dev/null', '/etc/systemd/system.control/web.service');
  await command('systemctl', 'daemon-reload');
  for (const args of [update, rollback]) await expectRefusal(args, 'the load state of web.service is masked');
  rmSync('/etc/systemd/system.control/web.service');
  await command('systemctl', 'daemon-reload');
  await atomic(rollback);
  await expectWhole(0, 'old');
});

test('a drop-in with which systemd loads only the old unit', async () => {
  await writeDropIn('[Service]\nRestart=always\n');
  await pullVersion('new', undefined, 'Type=oneshot\n');
  const run = await runAtomic(update);
  expect([run.status, run.stderr]).toEqual([1, expect.stringMatching(/Restart=/)]);
  await expectWhole(0, 'old');
  expect(await readActivity('web')).toBe('active');
  await removeDropIn();
});

test('an image for another machine', async () => {
  const foreign = buildTestImage({ exports: serviceExports }, { os: 'linux', architecture: 's390x' });
  const image = await pushImage(images.registry, 'test/foreign', foreign);
  const words = 'is for linux/s390x; this machine is ';
  await expectRefusal(['containers', 'update', '--rebase', image, 'web'], `the image ${image} ${words}`);
});

test('deployments that lack a file', async () => {
  await atomic(update);
  for (const [file, args, words] of [
    ['web.1/web.service', update, `there is no ${checkouts}/web.1/web.service`],
    ['web.0/web.service', rollback, `there is no ${checkouts}/web.0/web.service`],
    ['web.0/config.json', rollback, `there is no ${checkouts}/web.0/config.json`],
    ['web.0/rootfs', rollback, `there is no ${checkouts}/web.0/rootfs`],
    ['web.0/info', rollback, 'Cannot find a previous deployment'],
  ] as const) {
    await pullVersion('newer');
    await command('mv', `${checkouts}/${file}`, '/run/missing');
    await expectRefusal(args, words);
    await command('mv', '/run/missing', `${checkouts}/${file}`);
  }
  await atomic(rollback);
  await expectWhole(0, 'old');
});

test('a rollback whose image is no longer in the store', async () => {
  await atomic(update);
  const { 'ostree-commit': commit } = JSON.parse(readFileSync(`${checkouts}/web.0/info`, 'utf8'));
  rmSync(`${checkouts}/.storage/ostree/objects/${commit.slice(0, 2)}/${commit.slice(2)}.commit`);
  const run = await runAtomic(rollback);
  expect(run.stderr).toContain('The health check of the image of web is unknown, and is not done: ');
  expect(run.status).toBe(0);
  await expectWhole(0, 'old');
});

test('a mount in the new deployment: the old service runs, and `recover` ends the rest', async () => {
  const rootfs = `${checkouts}/web.1/rootfs`;
  await pullVersion('new', `while ! test -e /run/go; do sleep 0.1; done; exit 1`);
  const failing = runAtomic(['containers', 'update', '--settle', '30', 'web']);
  await waitUntil('the new service runs', async () => existsSync(`${rootfs}/tmp`) && readWord() === 'new');
  await command('mount', '-t', 'tmpfs', 'tmpfs', `${rootfs}/tmp`);
  writeFileSync('/run/web/go', '');
  const run = await failing;
  expect(run.stderr).toContain('something is mounted at');
  expect([run.status, readWord(), await readActivity('web')]).toEqual([1, 'old', 'active']);
  await command('umount', `${checkouts}/.web.1.old/rootfs/tmp`);
  await atomic(['recover']);
  await expectWhole(0, 'old');
});

test('a systemd that cannot reload, and a host without a bus', async () => {
  mkdirSync('/run/fake', { recursive: true });
  const script =
    'case "$*" in *daemon-reload*) echo Failed to reload daemon: No space left on device >&2; exit 1;; esac';
  writeFileSync('/run/fake/systemctl', `#!/bin/sh\n${script}\nexec /usr/bin/systemctl "$@"\n`, {
    mode: 0o755,
  });
  const env = { PATH: `/run/fake:${process.env.PATH}` };
  const invocation = await readInvocation('web');
  const run = await runAtomic(update, { env });
  expect(run.stderr).toContain('No space left on device; web.0 is restored');
  expect(await readInvocation('web')).toBe(invocation);
  await expectWhole(0, 'old');
  // Another ExecStop: systemd is reloaded after the stop.
  await pullVersion('new', undefined, 'TimeoutStopSec=3\n');
  expect((await runAtomic(update, { env })).stderr).toContain('No space left on device; web.0 is restored');
  await expectWhole(0, 'old');
  expect(await readActivity('web')).toBe('active');
  const image = `${images.registry.address}/test/service`;
  const install = await runAtomic(['install', '--name', 'other', image], { env });
  expect([install.status, install.stderr]).toEqual([
    1,
    expect.stringMatching(/installing other: systemctl daemon-reload/),
  ]);
  expect(readdirSync(checkouts).filter((name) => name.includes('other'))).toEqual([]);
  expect(existsSync('/etc/systemd/system/other.service')).toBe(false);
  await atomic(['install', '--name', 'other', image]);
  const uninstall = await runAtomic(['uninstall', 'other'], { env });
  expect([uninstall.status, uninstall.stderr]).toEqual([
    1,
    expect.stringMatching(/uninstalling other is not finished/),
  ]);
  await atomic(['uninstall', 'other']);
  expect(readdirSync(journals)).toEqual([]);
  await command('systemctl', 'stop', 'dbus.socket', 'dbus.service');
  try {
    await atomic(update);
    await expectWhole(1, 'new');
    await atomic(rollback);
    await expectWhole(0, 'old');
  } finally {
    await command('systemctl', 'start', 'dbus.socket');
  }
});

test('a disabled and failed service stays so, forth and back', async () => {
  await command('systemctl', 'disable', 'web');
  await command('systemctl', 'kill', '--signal=KILL', 'web');
  await waitUntil('web has failed', async () => (await readActivity('web')) === 'failed');
  for (const args of [update, rollback]) {
    await atomic(args);
    expect([await readActivity('web'), await readEnablement('web')]).toEqual(['failed', 'disabled']);
  }
  await expectWhole(0, 'old');
});

test('a service that systemd is about to start again', async () => {
  await writeDropIn('[Service]\nRestart=always\nRestartSec=60\n');
  await command('systemctl', 'kill', '--signal=KILL', 'web');
  await waitUntil('systemd waits', async () => (await readActivity('web')) === 'activating');
  await atomic(update);
  await expectWhole(1, 'new');
  expect(await readActivity('web')).toBe('active');
  await removeDropIn();
});

test.each(['/usr/sbin/runc', '/usr/bin/crun'])(
  'a service that ignores SIGTERM until systemd kills it, with %s',
  async (runtime) => {
    await atomic(['uninstall', 'web']);
    const stubborn = "trap '' TERM; : > /run/word; while :; do sleep 0.1; done";
    const image = await pullVersion('old', stubborn, 'TimeoutStopSec=1\n');
    await atomic(['install', '--name', 'web', '--runtime', runtime, image]);
    await start();
    await pullVersion('broken', 'exit 3', 'TimeoutStopSec=1\n');
    expect((await runAtomic(update)).stderr).toContain('; web.0 is restored');
    expect(await readActivity('web')).toBe('active');
    await pullVersion('new', stubborn, 'TimeoutStopSec=1\n');
    await atomic(update);
    await expectWhole(1, 'new');
    expect((await command('pgrep', '--full', 'run.sh')).trim().split('\n')).toHaveLength(1);
  },
);
