/** packaging/systemd/atomic-recover.service after a crash in the middle of an update, without a person. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { copyFileSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { atomic } from '../support/atomic.ts';
import { type ImageSource, openImageSource, serviceExports } from './container-images.ts';
import { checkouts } from './host-state.ts';
import { journals, runKilled } from './killed-runs.ts';
import { command, runCommand, waitUntil } from './support/commands.ts';
import { readActivity } from './support/services.ts';

const unit = 'atomic-recover.service';
let images: ImageSource;

beforeAll(async () => {
  images = await openImageSource();
  copyFileSync(join(import.meta.dir, '../../packaging/systemd', unit), `/etc/systemd/system/${unit}`);
  // A host that has come up to the point where services begin to start, and no further.
  writeFileSync(
    '/run/systemd/system/early.target',
    '[Unit]\nRequires=sysinit.target\nAfter=sysinit.target\nAllowIsolate=yes\n',
  );
  await command('systemctl', 'enable', unit);
  await atomic(['pull', await push('old')]);
  await atomic(['install', '--name', 'web', await push('old')]);
  await atomic(['install', '--name', 'other', await push('old')]);
  await command('systemctl', 'disable', 'other');
  await command('systemctl', 'start', 'web', 'other');
});
afterAll(() => images[Symbol.asyncDispose]());

function push(word: string): Promise<string> {
  const manifest = JSON.stringify({ defaultValues: { WORD: word } });
  return images.push('service', { exports: { ...serviceExports, 'manifest.json': manifest } });
}

/** All services end as in a power failure, without a signal that they could miss, and start as in a boot. */
async function boot(): Promise<void> {
  await command('systemctl', '--no-block', 'isolate', 'early.target');
  for (const name of ['web', 'other', 'basic.target']) {
    await waitUntil(`${name} has stopped`, async () => {
      if (['inactive', 'failed'].includes(await readActivity(name))) return true;
      await runCommand(['systemctl', 'kill', '--signal=KILL', name]);
      return false;
    });
  }
  await command('systemctl', 'start', 'multi-user.target');
}

function readWord(name: string): string {
  return JSON.parse(readFileSync(`${checkouts}/${name}/info`, 'utf8')).values.WORD;
}

test('systemd finds nothing wrong with the unit', async () => {
  const argv = [
    'systemd-analyze',
    'verify',
    '--man=no',
    '--recursive-errors=no',
    `/etc/systemd/system/${unit}`,
  ];
  expect(await runCommand(argv)).toMatchObject({ status: 0, stderr: '' });
});

test.each([
  ['web', 'rename', `${checkouts}/.web.link`],
  ['other', 'fsync', checkouts],
])('an update of %s that was killed at its %s: the old one is whole and runs', async (name, call, path) => {
  await push('new');
  await command('systemctl', 'start', name);
  runKilled(['containers', 'update', '--pull', '--settle', '0.5', name], call, path);
  expect(readdirSync(journals)).toEqual([`${name}.json`]);
  await boot();
  await waitUntil(`${name} runs`, async () => (await readActivity(name)) === 'active');
  expect(await command('systemctl', 'show', '--property=Result', '--value', unit)).toBe('success\n');
  expect(readWord(name)).toBe('old');
  expect(readdirSync(journals)).toEqual([]);
  expect(readFileSync(`/etc/systemd/system/${name}.service`, 'utf8')).toBe(
    readFileSync(`${readlinkSync(`${checkouts}/${name}`)}/${name}.service`, 'utf8'),
  );
});

test('nothing to recover: the boot goes on', async () => {
  await boot();
  await waitUntil('web runs', async () => (await readActivity('web')) === 'active');
  expect(await readActivity('other')).not.toBe('active');
});
