/** Updates of several containers that succeed or fail together, with services that really run. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { atomic, runAtomic } from '../support/atomic.ts';
import { type ImageSource, openImageSource, serviceExports } from './container-images.ts';
import { checkouts } from './host-state.ts';
import { journals, runKilled } from './killed-runs.ts';
import { command } from './support/commands.ts';
import { readActivity, readInvocation } from './support/services.ts';

const runtimes = { app: '/usr/sbin/runc', db: '/usr/sbin/runc', web: '/usr/bin/crun' };
const names = Object.keys(runtimes);
const update = ['containers', 'update', '--together', '--settle', '0.5'];

let images: ImageSource;

beforeAll(async () => {
  images = await openImageSource();
});
afterAll(() => images[Symbol.asyncDispose]());

/** Three running services in their first deployments. */
beforeEach(async () => {
  if (await isFresh()) return;
  const installed = names.filter((name) => existsSync(`${checkouts}/${name}`));
  if (installed.length > 0) await atomic(['uninstall', ...installed]);
  for (const [name, runtime] of Object.entries(runtimes)) {
    const image = await images.push(name, { exports: buildExports(name, 'old') });
    await atomic(['pull', image]);
    await atomic(['install', '--system', '--name', name, '--runtime', runtime, image]);
  }
  await command('systemctl', 'start', ...names);
});

/** Whether all are as they were installed and started: an update that is undone must leave them so. */
async function isFresh(): Promise<boolean> {
  for (const name of names) {
    if (!existsSync(`${checkouts}/${name}`) || existsSync(`${checkouts}/${name}.1`)) return false;
    if (readWord(name) !== 'old' || (await readActivity(name)) !== 'active') return false;
  }
  return true;
}

/** app is started after db. */
function buildExports(name: string, word: string, more: Readonly<Record<string, unknown>> = {}) {
  const unit = serviceExports['service.template'] ?? '';
  return {
    ...serviceExports,
    'manifest.json': JSON.stringify({ version: '1.0', defaultValues: { WORD: word }, ...more }),
    'service.template': name === 'app' ? unit.replace('[Unit]', '[Unit]\nAfter=db.service') : unit,
  };
}

/** Pushes and pulls new versions of the images; that of `sick` never passes its health check. */
async function pullNext(sick?: string): Promise<void> {
  for (const name of names) {
    const check = { command: ['/bin/sh', '-c', 'echo sick; exit 1'], retries: 1, interval: 1 };
    const exports = buildExports(name, 'new', name === sick ? { healthCheck: check } : {});
    await atomic(['pull', await images.push(name, { exports })]);
  }
}

function readWord(name: string): string {
  return JSON.parse(readFileSync(`${checkouts}/${name}/info`, 'utf8')).values.WORD;
}

async function expectAll(number: 0 | 1, word: string): Promise<void> {
  for (const name of names) {
    expect(readlinkSync(`${checkouts}/${name}`)).toBe(`${checkouts}/${name}.${number}`);
    expect([name, readWord(name), await readActivity(name)]).toEqual([name, word, 'active']);
    expect(readFileSync(`/etc/systemd/system/${name}.service`, 'utf8')).toBe(
      readFileSync(`${checkouts}/${name}.${number}/${name}.service`, 'utf8'),
    );
  }
  expect(readdirSync(journals)).toEqual([]);
  expect(readdirSync(checkouts).filter((name) => /^\.(app|db|web)/.test(name))).toEqual([]);
}

async function readStart(name: string): Promise<number> {
  const property = '--property=ActiveEnterTimestampMonotonic';
  return Number(await command('systemctl', 'show', property, '--value', name));
}

test('three services change together, in the order of systemd', async () => {
  await pullNext();
  const lines = (await atomic([...update, '--all'])).split('\n');
  expect(lines.filter((line) => line.startsWith('systemctl '))).toEqual([
    'systemctl daemon-reload',
    'systemctl stop app db web',
    'systemctl start db app web',
  ]);
  expect(lines.filter((line) => line.startsWith('Updated '))).toHaveLength(3);
  await expectAll(1, 'new');
  expect(await readStart('app')).toBeGreaterThan(await readStart('db'));
});

test('one with nothing to do keeps running', async () => {
  await pullNext();
  await atomic(['containers', 'update', '--settle', '0.5', 'db']);
  const invocation = await readInvocation('db');
  const { containers } = JSON.parse(await atomic([...update, '--json', 'db', 'app', 'web', 'app']));
  expect(containers.map(({ name, outcome }: Record<string, unknown>) => [name, outcome])).toEqual([
    ['db', 'up-to-date'],
    ['app', 'updated'],
    ['web', 'updated'],
  ]);
  expect([containers[1].deployment, containers[1].before.deployment]).toEqual([1, 0]);
  expect(await readInvocation('db')).toBe(invocation);
  await expectAll(1, 'new');
});

test('one that is not healthy takes all back, and only its image is remembered', async () => {
  await pullNext('db');
  const run = await runAtomic([...update, '--json', ...names]);
  expect(run.status).toBe(1);
  const { containers } = JSON.parse(run.stdout);
  expect(containers.map(({ name, outcome }: Record<string, unknown>) => [name, outcome])).toEqual([
    ['app', 'kept'],
    ['db', 'failed'],
    ['web', 'kept'],
  ]);
  expect(containers[0].reason).toBe('the update of db failed');
  expect(containers[1].error).toMatchObject({ code: 'ROLLED_BACK', details: { phase: 'health' } });
  expect(run.stderr).toContain('; app.0, db.0, web.0 are restored');
  await expectAll(0, 'old');
  expect(readdirSync(`${checkouts}/.atomic/refused`)).toEqual(['db.json']);
});

test('one that cannot be prepared leaves all as they are', async () => {
  await pullNext();
  await atomic(['containers', 'hold', 'web']);
  const invocation = await readInvocation('app');
  const run = await runAtomic([...update, ...names]);
  expect([run.status, run.stderr]).toEqual([1, expect.stringContaining('updating web: it is held')]);
  expect(run.stdout).toContain('app was not updated: the update of web failed.\n');
  expect(await readInvocation('app')).toBe(invocation);
  await atomic(['containers', 'unhold', 'web']);
  await expectAll(0, 'old');
});

test.each([
  ['before the second is built', 'mkdir', `${checkouts}/.db.1.new`, 0, 'old'],
  ['between two switches', 'rename', `${checkouts}/.db.link`, 0, 'old'],
  ['when all are up', 'unlink', `${journals}/app.json`, 1, 'new'],
] as const)('a kill %s', async (_, call, path, number, word) => {
  await pullNext();
  runKilled([...update, ...names], call, path);
  expect(readdirSync(journals).sort()).toEqual(['app.json', 'db.json', 'web.json']);
  const recovered = JSON.parse(await atomic(['recover', '--json'])).recovered;
  expect(recovered.map(({ container }: { container: string }) => container)).toEqual(names);
  await expectAll(number, word);
});

test('after a kill the next command on one of them recovers all', async () => {
  await pullNext();
  runKilled([...update, ...names], 'rename', `${checkouts}/.web.link`);
  await atomic(['uninstall', 'web']);
  for (const name of ['app', 'db']) {
    expect([readWord(name), await readActivity(name)]).toEqual(['old', 'active']);
  }
  expect(existsSync(`${checkouts}/web`)).toBe(false);
  expect(readdirSync(journals)).toEqual([]);
});
