/** Updates that change the form of the state, with services that really write it. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { atomic, runAtomic } from '../support/atomic.ts';
import { configTemplate, type ImageSource, openImageSource, serviceExports } from './container-images.ts';
import { checkouts } from './host-state.ts';
import { runKilled } from './killed-runs.ts';
import { command, waitUntil } from './support/commands.ts';
import { readActivity } from './support/services.ts';

const state = '/var/lib/web';
let images: ImageSource;

beforeAll(async () => {
  images = await openImageSource();
  const image = await pushVersion('1');
  await atomic(['pull', image]);
  await atomic(['install', '--name', 'web', image]);
  await command('systemctl', 'start', 'web');
  await waitForState('1');
});
afterAll(() => images[Symbol.asyncDispose]());

/** A service that writes the version of its image into its state. `dies` soon after that. */
function pushVersion(version: string, dies = false): Promise<string> {
  const config = JSON.parse(configTemplate);
  config.mounts.push({
    ...{ destination: '/var', type: 'bind', source: '$STATE_DIRECTORY/$NAME', options: ['bind', 'rw'] },
  });
  const script = `#!/bin/sh\ntrap 'exit 0' TERM\necho ${version} > /var/form\n${dies ? 'exit 3' : 'while :; do sleep 0.1; done'}\n`;
  return images.push('service', {
    exports: {
      ...serviceExports,
      'manifest.json': JSON.stringify({
        settle: 0.5,
        stateVersion: version,
        defaultValues: { WORD: version },
      }),
      'config.json.template': JSON.stringify(config),
      'tmpfiles.template': 'D /run/$NAME 0755 - - -\nd $STATE_DIRECTORY/$NAME 0700 - - -\n',
    },
    extra: [{ path: 'bin/run.sh', mode: 0o755, content: script }],
  });
}

function readState(): string {
  return existsSync(`${state}/form`) ? readFileSync(`${state}/form`, 'utf8').trim() : '';
}

async function waitForState(version: string): Promise<void> {
  await waitUntil(`the state has form ${version}`, async () => readState() === version);
}

function listKept(): readonly string[] {
  return [0, 1].flatMap((number) => {
    const folder = `${checkouts}/web.${number}`;
    const names = existsSync(folder) ? readdirSync(folder) : [];
    return names.filter((name) => name.startsWith('state')).map((name) => `web.${number}/${name}`);
  });
}

test('a failed update restores the state', async () => {
  await pushVersion('2', true);
  const run = await runAtomic(['containers', 'update', '--pull', 'web']);
  expect(run.stderr).toContain('web.0 is restored');
  expect([readState(), await readActivity('web'), listKept()]).toEqual(['1', 'active', []]);
});

test('a killed update restores the state', async () => {
  await pushVersion('3');
  const update = ['containers', 'update', '--pull', 'web'];
  runKilled(update, 'rename', `${checkouts}/web.0/state.copy`);
  await atomic(['recover']);
  expect([readState(), await readActivity('web'), listKept()]).toEqual(['1', 'active', []]);
});

test('an update keeps the state, a rollback exchanges it, and an uninstall removes what was kept', async () => {
  await atomic(['containers', 'update', '--pull', 'web']);
  await waitForState('3');
  expect(listKept()).toEqual(['web.0/state']);
  await command('systemctl', 'stop', 'web');
  await atomic(['containers', 'rollback', 'web']);
  expect([readState(), listKept()]).toEqual(['1', ['web.1/state']]);
  await atomic(['containers', 'rollback', 'web']);
  expect([readState(), listKept()]).toEqual(['3', ['web.0/state']]);
  await atomic(['containers', 'update', '--set', 'WORD=mine', 'web']);
  expect(listKept()).toEqual([]);
  await atomic(['uninstall', 'web']);
  expect(existsSync(`${checkouts}/web.0`)).toBe(false);
  expect(readState()).toBe('3');
});
