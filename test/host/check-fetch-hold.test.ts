/** Newer images in three steps: check, fetch, update; and held containers. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { existsSync, readFileSync } from 'node:fs';
import { atomic, failingAtomic, runAtomic } from '../support/atomic.ts';
import { type ImageSource, openImageSource, serviceExports } from './container-images.ts';
import { checkouts } from './host-state.ts';
import { command } from './support/commands.ts';

let images: ImageSource;

beforeAll(async () => {
  images = await openImageSource();
  const service = await pushWord('service', 'one');
  const other = await pushWord('other', 'one');
  for (const image of [service, other]) await atomic(['pull', image]);
  await atomic(['install', '--system', '--name', 'web', service]);
  await atomic(['install', '--system', '--name', 'twin', service]);
  await atomic(['install', '--system', '--name', 'else', other]);
  await command('systemctl', 'start', 'web');
});
afterAll(() => images[Symbol.asyncDispose]());

/** A version of an image; `broken` is one whose service dies at once. */
function pushWord(name: string, word: string): Promise<string> {
  const manifest = JSON.stringify({ version: '1.0', defaultValues: { WORD: word } });
  const script = { path: 'bin/run.sh', mode: 0o755, content: '#!/bin/sh\nexit 1\n' };
  return images.push(name, {
    exports: { ...serviceExports, 'manifest.json': manifest },
    extra: word === 'broken' ? [script] : [],
  });
}

interface Checked {
  name: string;
  outcome: string;
  image_id: string;
  newer: { id: string; where: string } | null;
  held: boolean;
}

async function check(...args: string[]): Promise<readonly Checked[]> {
  return JSON.parse(await atomic(['containers', 'check', '--json', ...args])).containers;
}

async function listOutcomes(): Promise<readonly string[]> {
  return (await check()).map(({ name, outcome, newer }) => `${name} ${outcome} ${newer?.where ?? '-'}`);
}

function readWord(name: string): string {
  return JSON.parse(readFileSync(`${checkouts}/${name}/info`, 'utf8')).values.WORD;
}

test('a newer image is found, fetched without a change of the container, and installed without a registry', async () => {
  expect(await listOutcomes()).toEqual(['else up-to-date -', 'twin up-to-date -', 'web up-to-date -']);
  expect((await runAtomic(['containers', 'check', '--exit-status'])).status).toBe(0);
  await pushWord('service', 'two');
  expect(await listOutcomes()).toEqual([
    ...['else up-to-date -', 'twin newer registry', 'web newer registry'],
  ]);
  expect(await atomic(['containers', 'check', 'web'])).toMatch(/web .*newer in the registry\n$/);
  expect((await runAtomic(['containers', 'check', '--exit-status', 'web'])).status).toBe(10);
  expect((await runAtomic(['containers', 'check', '--exit-status', 'else'])).status).toBe(0);

  const fetched = await atomic(['containers', 'fetch', '--all']);
  expect(fetched.match(/is being pulled/g)).toHaveLength(1);
  expect(fetched.match(/^Fetched \S+ \([0-9a-f]{12}\) for (twin|web)$/gm)).toHaveLength(2);
  expect([readWord('web'), readWord('twin')]).toEqual(['one', 'one']);
  expect(await listOutcomes()).toEqual(['else up-to-date -', 'twin newer store', 'web newer store']);
  expect(await atomic(['containers', 'fetch', 'web'])).toBe('');
  await atomic(['containers', 'update', '--settle', '0.2', 'web']);
  expect([readWord('web'), readWord('twin')]).toEqual(['two', 'one']);
});

test('a held container is skipped, and the output names it', async () => {
  await atomic(['containers', 'hold', 'twin']);
  expect(await atomic(['containers', 'hold', '--json', 'twin'])).toContain('"changed": false');
  expect(await listOutcomes()).toContain('twin held store');
  expect((await runAtomic(['containers', 'check', '--exit-status'])).status).toBe(0);
  await pushWord('service', 'three');
  const fetched = await atomic(['containers', 'fetch', '--all']);
  expect(fetched).toContain('twin is held, and nothing was fetched for it.\n');
  const all = await atomic(['containers', 'update', '--all', '--settle', '0.2']);
  expect(all).toContain('twin is held, and was not updated.\n');
  expect(all).toMatch(/\n +twin .*Not updated: it is held\n/);
  expect([readWord('web'), readWord('twin')]).toEqual(['three', 'one']);
  const { status, stderr } = await runAtomic(['containers', 'update', 'twin']);
  expect(status).toBe(1);
  expect(stderr).toBe(
    'error: updating twin: it is held\nhint: End the hold to update it: atomic containers unhold twin\n',
  );
  await atomic(['containers', 'unhold', 'twin']);
  await atomic(['containers', 'update', 'twin']);
  expect(readWord('twin')).toBe('three');
});

test('an uninstall removes the hold', async () => {
  await atomic(['containers', 'hold', 'twin']);
  expect(existsSync(`${checkouts}/.atomic/held/twin`)).toBe(true);
  await atomic(['uninstall', 'twin']);
  expect(existsSync(`${checkouts}/.atomic/held/twin`)).toBe(false);
});

test('an image with which the service failed is not reported as newer, and not fetched again', async () => {
  await pushWord('service', 'broken');
  await atomic(['containers', 'fetch', 'web']);
  expect((await runAtomic(['containers', 'update', '--settle', '0.5', 'web'])).status).toBe(1);
  expect(await listOutcomes()).toContain('web refused store');
  expect((await runAtomic(['containers', 'check', '--exit-status'])).status).toBe(0);
  expect(await atomic(['containers', 'fetch', 'web'])).toContain('did not come up before\n');
});

test('a registry that does not answer, and a deleted image', async () => {
  await pushWord('other', 'two');
  const image = (await check('else'))[0]?.image_id ?? '';
  await atomic(['images', 'delete', '--force', image]);
  expect(await check('else')).toMatchObject([{ outcome: 'newer', newer: { where: 'registry' } }]);
  await images.registry.stop();
  expect(await check('else')).toMatchObject([{ outcome: 'unknown', newer: null }]);
  expect(await failingAtomic(1, ['containers', 'fetch', '--retry', '0', 'else'])).toContain(
    'Warning: else: ',
  );
  expect(readWord('else')).toBe('one');
});
