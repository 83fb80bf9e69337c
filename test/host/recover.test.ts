import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { type AtomicRun, atomic, runAtomic } from '../support/atomic.ts';
import { checkouts } from './host-state.ts';
import { type Bench, journals, type KillCase, newUnit, openBench, runKilled } from './killed-runs.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench[Symbol.asyncDispose]());
beforeEach(() => bench.reset());

const install = ['install', '--system', '--name', 'web'];

const installCases: readonly KillCase[] = [
  { call: 'rename', path: `${journals}/.web.json.new`, outcome: 'absent', isRecovered: false },
  { call: 'fsync', path: journals, outcome: 'absent', isRecovered: true },
  { call: 'mkdir', path: `${checkouts}/.web.0.new`, outcome: 'absent', isRecovered: true },
  { call: 'openat', path: `${checkouts}/.web.0.new/info`, outcome: 'absent', isRecovered: true },
  { call: 'syncfs', path: `${checkouts}/.web.0.new`, outcome: 'absent', isRecovered: true },
  { call: 'rename', path: `${checkouts}/.web.0.new`, outcome: 'absent', isRecovered: true },
  { call: 'symlink', path: `${checkouts}/.web.link`, outcome: 'absent', isRecovered: true },
  { call: 'rename', path: `${checkouts}/.web.link`, outcome: 'absent', isRecovered: true },
  { call: 'fsync', path: checkouts, outcome: 'installed', isRecovered: true },
  { call: 'rename', path: '/etc/tmpfiles.d/.web.conf.new', outcome: 'installed', isRecovered: true },
  { call: 'rename', path: newUnit, outcome: 'installed', isRecovered: true },
  { call: 'syncfs', path: '/etc/systemd/system', outcome: 'installed', isRecovered: true },
  { call: 'unlink', path: `${journals}/web.json`, outcome: 'installed', isRecovered: true },
];

test.each(installCases)(
  'install killed at $call of $path: $outcome',
  async ({ call, path, outcome, isRecovered }) => {
    runKilled([...install, bench.image], call, path);
    const run = await runAtomic(['recover']);
    expect(run.status).toBe(0);
    const recovered = `an interrupted install was ${outcome === 'absent' ? 'undone' : 'finished'}`;
    expect(`${run.stdout}${run.stderr}`).toContain(isRecovered ? recovered : 'Nothing to recover.');
    await atomic(['recover']);
    expect(await bench.readOutcome()).toBe(outcome);
    if (outcome === 'installed') expect(spawnSync('systemctl', ['is-enabled', '-q', 'web']).status).toBe(0);
  },
);

test('the next command on any container recovers', async () => {
  runKilled([...install, bench.image], 'fsync', checkouts);
  const run = await runAtomic(['install', '--system', '--name', 'other', bench.image]);
  expect(run.stderr).toContain('Recovered web: an interrupted install was finished');
  expect(run.status).toBe(0);
  await atomic(['uninstall', 'other']);
  expect(await bench.readOutcome()).toBe('installed');
});

test('an install after a killed one installs', async () => {
  runKilled([...install, bench.image], 'symlink', `${checkouts}/.web.link`);
  await atomic([...install, bench.image]);
  expect(await bench.readOutcome()).toBe('installed');
});

test('a killed install is uninstalled', async () => {
  runKilled([...install, bench.image], 'rename', newUnit);
  await atomic(['uninstall', 'web']);
  expect(await bench.readOutcome()).toBe('absent');
});

test('a killed recovery is recovered', async () => {
  runKilled([...install, bench.image], 'symlink', `${checkouts}/.web.link`);
  runKilled(['recover'], 'rename', `${checkouts}/web.0`);
  runKilled(['recover'], 'unlink', `${journals}/web.json`);
  await atomic(['recover']);
  expect(await bench.readOutcome()).toBe('absent');
});

test('a journal of a newer version stops every change of its container', async () => {
  await Bun.write(`${journals}/web.json`, '{"version":3}');
  const run = await runAtomic([...install, bench.image]);
  expect(run.status).toBe(1);
  expect(run.stderr).toContain('format 3 is unknown');
  expect((await runAtomic(['recover'])).status).toBe(1);
  const other = await runAtomic(['install', '--system', '--name', 'other', bench.image]);
  expect(other.status).toBe(0);
  expect(other.stderr).toContain('Warning: recovering web: ');
  await atomic(['uninstall', 'other']);
  spawnSync('rm', [`${journals}/web.json`]);
});

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  '%s during an install: nothing is left',
  async (killSignal) => {
    const run = await interruptInstall(killSignal);
    expect(run.stderr).toContain(`interrupted by ${killSignal}`);
    expect(run.status).toBe(128 + { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 }[killSignal]);
    expect(await bench.readOutcome()).toBe('absent');
  },
);

/** Repeats the install when it was over before the signal. */
async function interruptInstall(killSignal: NodeJS.Signals): Promise<AtomicRun> {
  for (;;) {
    const controller = new AbortController();
    const running = runAtomic([...install, bench.image], { signal: controller.signal, killSignal });
    let isOver = false;
    running.finally(() => {
      isOver = true;
    });
    while (!isOver && !existsSync(`${checkouts}/.web.0.new`)) await Bun.sleep(1);
    controller.abort();
    const run = await running;
    if (run.status !== 0) return run;
    await atomic(['uninstall', 'web']);
  }
}

test('remains without a journal do not prevent an install', async () => {
  spawnSync('mkdir', ['-p', `${checkouts}/.web.0.new/rootfs/old`]);
  spawnSync('ln', ['-s', '/nowhere', `${checkouts}/.web.link`]);
  await atomic([...install, bench.image]);
  expect(await bench.readOutcome()).toBe('installed');
});
