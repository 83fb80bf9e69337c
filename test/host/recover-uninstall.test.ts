import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { atomic, runAtomic } from '../support/atomic.ts';
import { checkouts } from './host-state.ts';
import { type Bench, journals, type KillCase, newUnit, openBench, runKilled } from './killed-runs.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench[Symbol.asyncDispose]());
beforeEach(() => bench.reset());

const install = ['install', '--system', '--name', 'web'];

const cases: readonly KillCase[] = [
  { call: 'rename', path: `${journals}/.web.json.new`, outcome: 'installed', isRecovered: false },
  { call: 'fsync', path: journals, outcome: 'installed', isRecovered: true },
  { call: 'unlink', path: `${checkouts}/web`, outcome: 'installed', isRecovered: true },
  { call: 'fsync', path: checkouts, outcome: 'absent', isRecovered: true },
  { call: 'rename', path: `${checkouts}/web.0`, outcome: 'absent', isRecovered: true },
  { call: 'unlink', path: '/etc/systemd/system/web.service', outcome: 'absent', isRecovered: true },
  { call: 'unlink', path: '/etc/tmpfiles.d/web.conf', outcome: 'absent', isRecovered: true },
  { call: 'rmdir', path: `${checkouts}/.web.0.old`, outcome: 'absent', isRecovered: true },
  { call: 'unlink', path: `${journals}/web.json`, outcome: 'absent', isRecovered: true },
];

test.each(cases)(
  'uninstall killed at $call of $path: $outcome',
  async ({ call, path, outcome, isRecovered }) => {
    await atomic([...install, bench.image]);
    spawnSync('systemctl', ['start', 'web']);
    while (!existsSync('/run/web/word')) await Bun.sleep(10);
    runKilled(['uninstall', 'web'], call, path);
    const run = await runAtomic(['recover']);
    expect(run.status).toBe(0);
    expect(`${run.stdout}${run.stderr}`).toContain(
      isRecovered
        ? `an interrupted uninstall was ${outcome === 'absent' ? 'finished' : 'undone'}`
        : 'Nothing to recover.',
    );
    // What the service has written to /run/web goes with it; without the point of no return it runs as before.
    if (outcome === 'absent') expect(await bench.readOutcome()).toBe('absent');
    else
      for (const question of ['is-active', 'is-enabled']) {
        expect(spawnSync('systemctl', ['-q', question, 'web']).status).toBe(0);
      }
  },
);

test.each([
  ['unlink', `${checkouts}/web`],
  ['unlink', '/etc/systemd/system/web.service'],
])('the next uninstall goes on after a kill at %s of %s', async (call, path) => {
  await atomic([...install, bench.image]);
  runKilled(['uninstall', 'web'], call, path);
  await atomic(['uninstall', 'web']);
  expect(await bench.readOutcome()).toBe('absent');
});

test('an install after a killed uninstall installs', async () => {
  await atomic([...install, bench.image]);
  runKilled(['uninstall', 'web'], 'rename', `${checkouts}/web.0`);
  await atomic([...install, bench.image]);
  expect(await bench.readOutcome()).toBe('installed');
});

test.each([
  ['rename', newUnit, 'an interrupted install was finished'],
  ['unlink', `${checkouts}/web`, 'an interrupted uninstall was undone'],
])(
  'a killed uninstall of a killed install, at %s of %s, leaves a whole container',
  async (call, path, text) => {
    runKilled([...install, bench.image], 'rename', newUnit);
    runKilled(['uninstall', 'web'], call, path);
    expect((await runAtomic(['recover'])).stderr).toContain(text);
    expect(await bench.readOutcome()).toBe('installed');
    expect(spawnSync('systemctl', ['start', 'web']).status).toBe(0);
  },
);
