/**
 * Commands killed at each of their changes: at every rename, symlink, link, removal, sync and start of a program that a
 * recorded run of the same command has made. By default only a sample of these points (CONTRIBUTING.md).
 */
import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { atomic, runAtomic } from '../support/atomic.ts';
import { tree } from '../support/tree.ts';
import { type ImageSource, openImageSource, serviceExports } from './container-images.ts';
import { checkouts } from './host-state.ts';
import { journals } from './killed-runs.ts';
import { command, waitUntil } from './support/commands.ts';
import { type KillPoint, killAt, recordKillPoints } from './support/kill-points.ts';
import { readActivity, readEnablement } from './support/services.ts';

const isExhaustive = process.env.ATOMIC_KILL_POINTS === 'all';
const only = process.env.ATOMIC_KILL_TRIAL;
/** In a sample, so many points of a command, evenly over its run. */
const SAMPLE = 2;
const sampled = ['update with a deployment to roll back to', 'update of a group', 'uninstall'];
const names = ['db', 'web'];
const quick = ['--settle', '0.1'];

let images: ImageSource;
beforeAll(async () => {
  images = await openImageSource();
  for (const name of names) await pushAndPull(name, 'old');
});
afterAll(() => images[Symbol.asyncDispose]());

async function pushAndPull(name: string, word: string, script?: string): Promise<string> {
  const image = await images.push(name, {
    exports: {
      ...serviceExports,
      'manifest.json': JSON.stringify({ defaultValues: { WORD: word }, stateVersion: word }),
    },
    extra: [
      ...tree`f exports/hostfs/usr/local/lib/kill-points/${name} 0644 ${word}`,
      ...(script === undefined ? [] : tree`f bin/run.sh 0755 ${script}`),
    ],
  });
  await atomic(['pull', image]);
  return image;
}

/** The version of a container, whose parts must belong together; undefined when there is none, without any remains. */
async function readVersion(name: string): Promise<string | undefined> {
  const unit = `/etc/systemd/system/${name}.service`;
  const hostFile = `/usr/local/lib/kill-points/${name}`;
  const remains = readdirSync(checkouts).filter((entry) => entry.startsWith(`.${name}.`));
  expect(remains).toEqual([]);
  expect(existsSync(`${journals}/${name}.json`)).toBe(false);
  if (!existsSync(`${checkouts}/${name}`)) {
    const paths = [`${checkouts}/${name}.0`, `${checkouts}/${name}.1`, unit, hostFile, `/run/${name}`];
    expect([...paths, `/etc/tmpfiles.d/${name}.conf`].filter((path) => existsSync(path))).toEqual([]);
    expect(await readActivity(name)).toBe('inactive');
    return undefined;
  }
  const folder = readlinkSync(`${checkouts}/${name}`);
  const { values } = JSON.parse(readFileSync(`${folder}/info`, 'utf8'));
  expect(readFileSync(unit, 'utf8')).toBe(readFileSync(`${folder}/${name}.service`, 'utf8'));
  expect(readFileSync(hostFile, 'utf8')).toBe(values.WORD);
  expect(readdirSync('/usr/local/lib/kill-points').filter((entry) => entry.startsWith('.'))).toEqual([]);
  expect(await readEnablement(name)).toBe('enabled');
  return values.WORD;
}

async function expectRunning(name: string, word: string): Promise<void> {
  expect(await readActivity(name)).toBe('active');
  const path = `/run/${name}/word`;
  await waitUntil(
    `${name} has written its word`,
    async () => existsSync(path) && readFileSync(path, 'utf8') === `${word}\n`,
  );
}

interface Trial {
  readonly args: readonly string[];
  readonly containers: readonly string[];
  /** Makes the state before the command. */
  prepare(): Promise<void>;
  /** The versions of the containers that may remain. */
  readonly versions: readonly (string | undefined)[];
}

async function installOld(containers: readonly string[]): Promise<void> {
  await removeAll();
  for (const name of containers) {
    await pushAndPull(name, 'old');
    await atomic(['install', '--system', '--name', name, `${images.registry.address}/test/${name}`]);
  }
  await command('systemctl', 'start', ...containers);
}

async function removeAll(): Promise<void> {
  const installed = names.filter((name) => existsSync(`${checkouts}/${name}`));
  if (installed.length > 0) await atomic(['uninstall', ...installed]);
}

const trials: Readonly<Record<string, Trial>> = {
  install: {
    args: ['install', '--system', '--name', 'web', 'IMAGE'],
    containers: ['web'],
    prepare: removeAll,
    versions: [undefined, 'old'],
  },
  update: {
    args: ['containers', 'update', ...quick, 'web'],
    containers: ['web'],
    async prepare() {
      await installOld(['web']);
      await pushAndPull('web', 'new');
    },
    versions: ['old', 'new'],
  },
  'update with a deployment to roll back to': {
    args: ['containers', 'update', ...quick, 'web'],
    containers: ['web'],
    async prepare() {
      await installOld(['web']);
      await atomic(['containers', 'update', ...quick, '--set-any', 'X=1', 'web']);
      await pushAndPull('web', 'new');
    },
    versions: ['old', 'new'],
  },
  'update that fails': {
    args: ['containers', 'update', ...quick, '--retry', 'web'],
    containers: ['web'],
    async prepare() {
      await installOld(['web']);
      await pushAndPull('web', 'broken', '#!/bin/sh\nexit 1\n');
    },
    versions: ['old'],
  },
  rollback: {
    args: ['containers', 'rollback', ...quick, 'web'],
    containers: ['web'],
    async prepare() {
      await installOld(['web']);
      await pushAndPull('web', 'new');
      await atomic(['containers', 'update', ...quick, 'web']);
    },
    versions: ['new', 'old'],
  },
  'update of a group': {
    args: ['containers', 'update', '--together', ...quick, 'db', 'web'],
    containers: ['db', 'web'],
    async prepare() {
      await installOld(['db', 'web']);
      for (const name of names) await pushAndPull(name, 'new');
    },
    versions: ['old', 'new'],
  },
  uninstall: {
    args: ['uninstall', 'web'],
    containers: ['web'],
    prepare: () => installOld(['web']),
    versions: ['old', undefined],
  },
};

beforeEach(async () => {
  await atomic(['recover']);
});

for (const [title, trial] of Object.entries(trials)) {
  const isChosen = only === undefined ? isExhaustive || sampled.includes(title) : only === title;
  if (!isChosen) continue;
  test(
    `${title}: killed at any change, it is undone or finished`,
    async () => {
      const args = trial.args.map((word) =>
        word === 'IMAGE' ? `${images.registry.address}/test/web` : word,
      );
      if (title === 'install') await pushAndPull('web', 'old');
      await trial.prepare();
      const points = choose(recordKillPoints(args));
      expect(points.length).toBeGreaterThan(0);
      let isPrepared = false;
      const failures: string[] = [];
      let killed = 0;
      for (const [index, point] of points.entries()) {
        if (!isPrepared) await trial.prepare();
        const shown = `${index}: ${point.call} ${point.path} (${point.occurrence})`;
        try {
          const isKilled = killAt(args, point);
          killed += isKilled ? 1 : 0;
          if (isKilled && index % 2 === 1) killAt(['recover'], recoverPoint(index));
          const version = await recoverAndCheck(trial);
          isPrepared = version === trial.versions[0] && trial.versions.length > 1;
        } catch (error) {
          failures.push(`${shown}: ${String(error)}`);
          isPrepared = false;
          await runAtomic(['recover']);
        }
        if (isExhaustive) console.log(shown, killed, failures.length);
      }
      expect(failures).toEqual([]);
      expect(killed).toBeGreaterThan(points.length / 3);
    },
    { timeout: 3_600_000 },
  );
}

function choose(points: readonly KillPoint[]): readonly KillPoint[] {
  if (isExhaustive || points.length <= SAMPLE) return points;
  return Array.from({ length: SAMPLE }, (_, index) => {
    const point = points[Math.floor(((index + 0.5) * points.length) / SAMPLE)];
    if (point === undefined) throw new Error('a point beyond the end');
    return point;
  });
}

/** A second kill, at one of the first changes of a recovery. */
function recoverPoint(index: number): KillPoint {
  const calls = ['rename', 'unlink', 'fsync', 'symlink', 'rmdir', 'syncfs'];
  return { call: calls[index % calls.length] ?? '', path: undefined, occurrence: 1 + (index % 3) };
}

async function recoverAndCheck({ containers, versions }: Trial): Promise<string | undefined> {
  await atomic(['recover']);
  expect(await atomic(['recover'])).toBe('Nothing to recover.\n');
  const found = [];
  for (const name of containers) found.push(await readVersion(name));
  expect(new Set(found).size).toBe(1);
  const [version] = found;
  expect(versions).toContain(version);
  const wasRunning = versions[0] !== undefined;
  if (wasRunning && version !== undefined) for (const name of containers) await expectRunning(name, version);
  return version;
}
