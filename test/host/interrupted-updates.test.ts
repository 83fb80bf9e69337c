/**
 * Updates that a person interrupts, whose output is not read, and that meet other commands on the same container: before
 * the stop nothing has changed, and after it the old service runs again.
 */
import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { atomic, runAtomic } from '../support/atomic.ts';
import { type ImageSource, openImageSource, serviceExports } from './container-images.ts';
import { checkouts } from './host-state.ts';
import { journals } from './killed-runs.ts';
import { command, runCommand, waitUntil } from './support/commands.ts';
import { readActivity, readInvocation } from './support/services.ts';
import { runOnTerminal } from './support/terminal.ts';

let images: ImageSource;

beforeAll(async () => {
  images = await openImageSource();
});
afterAll(() => images[Symbol.asyncDispose]());

const slowStop = "trap 'sleep 2; exit 0' TERM; : > /run/$WORD; while :; do sleep 0.1; done";
const runs = "trap 'exit 0' TERM; : > /run/$WORD; while :; do sleep 0.1; done";

async function pullVersion(word: string, script = runs, manifest = {}, unitLines = ''): Promise<string> {
  const image = await images.push('service', {
    exports: {
      ...serviceExports,
      'manifest.json': JSON.stringify({ defaultValues: { WORD: word }, settle: 0.5, ...manifest }),
      'service.template': `${serviceExports['service.template'] ?? ''}[Service]\n${unitLines}`,
    },
    extra: [{ path: 'bin/run.sh', mode: 0o755, content: `#!/bin/sh\n${script}\n` }],
  });
  await atomic(['pull', image]);
  return image;
}

beforeEach(async () => {
  if (existsSync(`${checkouts}/web`)) await atomic(['uninstall', 'web']);
  await atomic(['install', '--name', 'web', await pullVersion('old', slowStop)]);
  await command('systemctl', 'start', 'web');
  // SIGTERM can end it.
  await waitUntil('web has written its word', async () => existsSync('/run/web/old'));
});

function readWord(): string {
  return JSON.parse(readFileSync(`${checkouts}/web/info`, 'utf8')).values.WORD;
}

async function expectWhole(number: 0 | 1): Promise<void> {
  expect(readlinkSync(`${checkouts}/web`)).toBe(`${checkouts}/web.${number}`);
  expect(await readActivity('web')).toBe('active');
  expect(readFileSync('/etc/systemd/system/web.service', 'utf8')).toBe(
    readFileSync(`${checkouts}/web.${number}/web.service`, 'utf8'),
  );
  for (const folder of [checkouts, '/etc/systemd/system', '/etc/tmpfiles.d', journals]) {
    expect(
      readdirSync(folder).filter((name) => /^\.?web.*(?:link|new|old|previous|spare|json)/.test(name)),
    ).toEqual([]);
  }
}

/** SIGTERM can end the new service. */
const isNew = async () => existsSync('/run/web/new');
const phases: readonly [string, () => Promise<unknown>, () => Promise<boolean>][] = [
  ['the stop', () => pullVersion('new'), async () => (await readActivity('web')) === 'deactivating'],
  [
    'the start',
    () => pullVersion('new', runs, {}, 'Type=notify\nTimeoutStartSec=60\n'),
    async () => (await isNew()) && (await readActivity('web')) === 'activating',
  ],
  ['the settling time', () => pullVersion('new', runs, { settle: 60 }), isNew],
  [
    'a health check',
    () =>
      pullVersion('new', runs, {
        settle: 0,
        healthCheck: { command: ['/bin/sh', '-c', ': > /run/asked; sleep 100'], timeout: 100 },
      }),
    async () => existsSync('/run/web/asked'),
  ],
  [
    'a health check over the network',
    () =>
      pullVersion('new', runs, { settle: 0, healthCheck: { http: 'http://127.0.0.1:8099/', timeout: 100 } }),
    async () => existsSync('/run/asked'),
  ],
];
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

for (const [index, [phase, prepare, isThere]] of phases.entries()) {
  const signal = signals[index % signals.length] ?? 'SIGINT';
  test(`${signal} during ${phase}`, async () => {
    using server = Bun.serve({
      port: 8099,
      async fetch() {
        await Bun.write('/run/asked', '');
        await Bun.sleep(100_000);
        return new Response();
      },
    });
    expect(server.port).toBe(8099);
    await prepare();
    const interruption = new AbortController();
    const update = runAtomic(['containers', 'update', 'web'], {
      signal: interruption.signal,
      killSignal: signal,
    });
    await waitUntil(`it is in ${phase}`, isThere);
    interruption.abort();
    const { status, stderr } = await update;
    expect(stderr).toContain(`interrupted by ${signal}; web.0 is restored`);
    expect(status).toBe({ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }[signal]);
    await expectWhole(0);
  });
}

test('a terminal that is closed', async () => {
  await pullVersion('new', runs, { settle: 60 });
  const terminal = runOnTerminal('atomic containers update web');
  await waitUntil('the new service runs', isNew);
  const [pid] = (await command('pgrep', '--full', '^script --quiet')).trim().split('\n');
  process.kill(Number(pid), 'SIGKILL');
  await terminal.ended;
  await waitUntil('the update has ended', async () => readdirSync(journals).length === 0);
  await expectWhole(0);
});

test('an output that is closed, or on a full disk', async () => {
  await pullVersion('new');
  expect(await command('sh', '-c', 'atomic containers update web | head -n 1')).not.toBe('');
  await waitUntil('the update has ended', async () => readdirSync(journals).length === 0);
  await expectWhole(1);
  expect(readWord()).toBe('new');
  await pullVersion('newer');
  const run = await runCommand(['sh', '-c', 'atomic containers update web > /dev/full']);
  expect(run.stderr).toStartWith('error: write to standard output: no space left');
  expect([run.status, readWord()]).toEqual([1, 'newer']);
  await expectWhole(0);
});

test('two updates at once, a prune and an uninstall meanwhile', async () => {
  await pullVersion('new', runs, { settle: 3 });
  const first = runAtomic(['containers', 'update', 'web']);
  await waitUntil('the new service runs', isNew);
  const invocation = await readInvocation('web');
  const second = runAtomic(['containers', 'update', 'web']);
  const prune = runAtomic(['images', 'prune']);
  expect((await first).status).toBe(0);
  expect(await second).toMatchObject({ status: 0, stdout: 'Latest version already installed.\n' });
  expect((await prune).status).toBe(0);
  await expectWhole(1);
  expect(await readInvocation('web')).toBe(invocation);
  await pullVersion('newer', runs, { settle: 3 });
  const third = runAtomic(['containers', 'update', 'web']);
  await waitUntil('the newest service runs', async () => existsSync('/run/web/newer'));
  const uninstall = runAtomic(['uninstall', 'web']);
  expect([(await third).status, (await uninstall).status]).toEqual([0, 0]);
  expect(existsSync(`${checkouts}/web.0`)).toBe(false);
  expect(await readActivity('web')).toBe('inactive');
});

test('an update during an uninstall', async () => {
  await pullVersion('new');
  const uninstall = runAtomic(['uninstall', 'web']);
  await waitUntil('the service stops', async () => (await readActivity('web')) === 'deactivating');
  const update = await runAtomic(['containers', 'update', 'web']);
  expect(update.stderr).toContain("error: System container 'web' is not installed");
  expect([(await uninstall).status, update.status]).toEqual([0, 1]);
});
