/** A running container whose `info` is damaged keeps its files, and the remedies of the errors work. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test';
import { cpSync, existsSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { atomic, failingAtomic, runAtomic } from '../support/atomic.ts';
import { type ImageSource, openImageSource, serviceExports } from './container-images.ts';
import { checkouts } from './host-state.ts';
import { runKilled } from './killed-runs.ts';
import { command } from './support/commands.ts';
import { readActivity } from './support/services.ts';

const info = `${checkouts}/web.0/info`;
let images: ImageSource;
let image: string;
let whole: string;
beforeAll(async () => {
  images = await openImageSource();
  image = await images.push('service', { exports: serviceExports });
});
afterAll(() => images[Symbol.asyncDispose]());
beforeEach(async () => {
  await atomic(['install', '--system', '--name', 'web', image]);
  await command('systemctl', 'start', 'web');
  whole = readFileSync(info, 'utf8');
  truncateSync(info, 0);
});

const remedy = `remove the container with \`atomic uninstall web\` (install it again afterwards), or restore ${info} from a backup`;
const lines = [`web.0: info is changed: it is empty`, `web.0: its image is unknown: ${remedy}`, ''];

async function expectNothingFreed(): Promise<void> {
  const before = await command('find', `${checkouts}/.storage/ostree/objects`, '-type', 'f');
  expect(await failingAtomic(1, ['images', 'prune'])).toBe(
    [
      `error: pruning the image store: the container web is damaged: ${info}: it is empty`,
      `hint: Nothing was freed, because its image is unknown: ${remedy}; then repeat the command.`,
      '',
    ].join('\n'),
  );
  expect(await command('find', `${checkouts}/.storage/ostree/objects`, '-type', 'f')).toBe(before);
}

test('nothing is deleted or freed, and verify reports damage, until it is uninstalled', async () => {
  expect(await failingAtomic(1, ['images', 'delete', '-y', image])).toContain(
    `error: deleting images: the container web is damaged: ${info}: it is empty\n`,
  );
  await expectNothingFreed();
  const text = await runAtomic(['images', 'verify']);
  expect(text.status).toBe(1);
  expect(text.stdout.split('\n').slice(1)).toEqual(lines);
  const json = await runAtomic(['images', 'verify', '--json', image]);
  expect(json.status).toBe(1);
  expect(JSON.parse(json.stdout).unreadable_containers).toEqual([
    {
      container: 'web',
      deployment: 0,
      files: 0,
      problems: [{ path: 'info', state: 'changed', reason: 'it is empty' }],
      damaged_links: [],
      remedy,
    },
  ]);
  const repaired = await runAtomic(['images', 'verify', '--repair']);
  expect(repaired.status).toBe(1);
  expect(repaired.stdout.split('\n').slice(1)).toEqual(lines);
  await atomic(['images', 'delete', '-f', image]);
  await expectNothingFreed();
  expect(await readActivity('web')).toBe('active');

  await atomic(['uninstall', 'web']);
  expect(existsSync(`${checkouts}/web.0`)).toBe(false);
  expect(await atomic(['images', 'prune'])).toMatch(/Freed [1-9]\d* objects/);
  expect(await command('find', `${checkouts}/.storage/ostree/objects`, '-type', 'f')).toBe('');
});

test('until its info is restored from a backup', async () => {
  writeFileSync(info, whole);
  expect(await failingAtomic(1, ['images', 'delete', '-y', image])).toContain(
    `containers use ${image} (web)`,
  );
  await atomic(['images', 'prune']);
  expect((await runAtomic(['images', 'verify'])).status).toBe(0);
  await atomic(['uninstall', 'web']);
});

test('after a crash recover ends it, and the remains of a rollback may be removed by hand', async () => {
  runKilled(['uninstall', 'web'], 'rename', `${checkouts}/web.0`);
  expect(await failingAtomic(1, ['images', 'prune'])).toContain('still runs: `atomic recover`; then');
  await atomic(['recover']);
  await atomic(['images', 'prune']);

  await atomic(['install', '--system', '--name', 'web', image]);
  cpSync(`${checkouts}/web.0`, `${checkouts}/web.1`, { recursive: true });
  truncateSync(`${checkouts}/web.1/info`, 0);
  mkdirSync(`${checkouts}/stray.0`);
  expect(await failingAtomic(1, ['images', 'prune'])).toContain(`\`rm -r ${checkouts}/web.1\`; then`);
  await command('rm', '-r', `${checkouts}/web.1`);
  await atomic(['images', 'prune']);
  expect((await runAtomic(['images', 'verify'])).status).toBe(0);
  await atomic(['uninstall', 'web']);
});
