/** The units of packaging/systemd, installed as a package does it, with services that really run. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { atomic } from '../support/atomic.ts';
import { type ImageSource, openImageSource, serviceExports } from './container-images.ts';
import { checkouts } from './host-state.ts';
import { command, runCommand, waitUntil } from './support/commands.ts';

const packaged = join(import.meta.dir, '../../packaging/systemd');
const units = '/etc/systemd/system';
const packagedUnits = ['update', 'verify'].flatMap((name) => [
  `atomic-${name}.service`,
  `atomic-${name}.timer`,
]);
let images: ImageSource;

beforeAll(async () => {
  images = await openImageSource();
  for (const unit of packagedUnits) {
    copyFileSync(join(packaged, unit), join(units, unit));
  }
  writeFileSync(`${units}/told.service`, '[Service]\nExecStart=/usr/bin/touch /run/told\n');
  for (const name of ['update', 'verify']) {
    mkdirSync(`${units}/atomic-${name}.service.d`);
    writeFileSync(`${units}/atomic-${name}.service.d/told.conf`, '[Unit]\nOnFailure=told.service\n');
  }
  const image = await pushWord('one');
  await atomic(['pull', image]);
  await atomic(['install', '--name', 'web', image]);
  await command('systemctl', 'start', 'web');
});
afterAll(() => images[Symbol.asyncDispose]());

/** `broken` is a version whose service dies at once. */
function pushWord(word: string): Promise<string> {
  const manifest = JSON.stringify({ version: '1.0', settle: 0.5, defaultValues: { WORD: word } });
  const script = { path: 'bin/run.sh', mode: 0o755, content: '#!/bin/sh\nexit 1\n' };
  return images.push('service', {
    exports: { ...serviceExports, 'manifest.json': manifest },
    extra: word === 'broken' ? [script] : [],
  });
}

function readWord(): string {
  return JSON.parse(readFileSync(`${checkouts}/web/info`, 'utf8')).values.WORD;
}

/** Runs the unit. @returns what the journal has of all its runs */
async function runUnit(name: string): Promise<{ status: number; log: string }> {
  const { status } = await runCommand(['systemctl', 'start', `${name}.service`]);
  await command('journalctl', '--sync');
  return { status, log: await command('journalctl', '--output=cat', `--unit=${name}`) };
}

const runUpdate = () => runUnit('atomic-update');

test('systemd finds nothing wrong with them', async () => {
  const run = await runCommand([
    ...['systemd-analyze', 'verify', '--man=no', '--recursive-errors=no'],
    ...packagedUnits.map((unit) => `${units}/${unit}`),
  ]);
  expect(run).toMatchObject({ status: 0, stderr: '' });
});

test('an update without a person, and a failed update', async () => {
  await pushWord('two');
  const good = await runUpdate();
  expect(good.status).toBe(0);
  expect(good.log).toMatch(/^Fetched \S+ \([0-9a-f]{12}\) for web$/m);
  expect(good.log).toMatch(/^Updated web to \S+ \([0-9a-f]{12}\)$/m);
  expect(good.log).not.toContain('Pushing lock');
  expect([readWord(), existsSync('/run/told')]).toEqual(['two', false]);

  await pushWord('broken');
  const bad = await runUpdate();
  expect(bad.status).not.toBe(0);
  expect(bad.log).toContain('web.1 is restored');
  await waitUntil('OnFailure= has acted', async () => existsSync('/run/told'));
  expect(readWord()).toBe('two');
  rmSync('/run/told');
  // It is not tried again, which is not a failure.
  const again = await runUpdate();
  expect(again).toMatchObject({ status: 0, log: expect.stringContaining('is not tried again') });
});

test('a scrub reads everything in its sandbox, and fails when something is damaged', async () => {
  const good = await runUnit('atomic-verify');
  expect(good.status).toBe(0);
  expect(good.log).toMatch(/^\S+\/test\/service:latest: \d+ objects, [\d.]+ [KM]B, sound$/m);
  expect(good.log).toContain('The container is in order.\n');
  expect(existsSync('/run/told')).toBe(false);

  const unit = `${units}/web.service`;
  const text = readFileSync(unit, 'utf8');
  writeFileSync(unit, `${text}# mine\n`);
  const drift = await runUnit('atomic-verify');
  expect(drift.status).not.toBe(0);
  expect(drift.log).toMatch(/ web +unit +edited +\/etc\/systemd\/system\/web.service$/m);
  await waitUntil('OnFailure= has acted', async () => existsSync('/run/told'));
  writeFileSync(unit, text);

  chmodSync(`${checkouts}/web/rootfs/bin/busybox`, 0o500);
  const damage = await runUnit('atomic-verify');
  expect(damage.status).not.toBe(0);
  expect(damage.log).toContain('/bin/busybox is damaged: ');
  await atomic(['images', 'verify', '--repair']);
  expect((await runUnit('atomic-verify')).status).toBe(0);
});

test('containers are updated also when a registry does not answer, and the unit fails', async () => {
  await pushWord('three');
  await atomic(['containers', 'fetch']);
  await images.registry.stop();
  const { status } = await runUpdate();
  expect(status).not.toBe(0);
  expect(readWord()).toBe('three');
});
