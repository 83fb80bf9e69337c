/** `containers update --all` of containers of which each is in another state, and of containers that need each other. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { atomic, runAtomic } from '../support/atomic.ts';
import { type ImageSource, openImageSource, serviceExports } from './container-images.ts';
import { checkouts } from './host-state.ts';
import { journals, runKilled } from './killed-runs.ts';
import { command } from './support/commands.ts';
import { readActivity, readInvocation } from './support/services.ts';

const update = ['containers', 'update', '--settle', '0.2'];

let images: ImageSource;
beforeAll(async () => {
  images = await openImageSource();
});
afterAll(() => images[Symbol.asyncDispose]());

function pushWord(name: string, word: string, unit = ''): Promise<string> {
  const template = serviceExports['service.template'] ?? '';
  return images.push(name, {
    exports: {
      ...serviceExports,
      'manifest.json': JSON.stringify({ defaultValues: { WORD: word } }),
      'service.template': template.replace('[Unit]', `[Unit]\n${unit}`),
    },
    extra: word === 'broken' ? [{ path: 'bin/run.sh', mode: 0o755, content: '#!/bin/sh\nexit 1\n' }] : [],
  });
}

async function installWord(name: string, unit?: string): Promise<void> {
  const image = await pushWord(name, 'old', unit);
  await atomic(['pull', image]);
  await atomic(['install', '--name', name, image]);
}

function readWord(name: string): string {
  return JSON.parse(readFileSync(`${checkouts}/${name}/info`, 'utf8')).values.WORD;
}

test('without containers there is nothing to do', async () => {
  for (const more of [[], ['--together']]) {
    expect(await atomic(['containers', 'update', '--all', ...more])).toBe('');
  }
  expect(JSON.parse(await atomic(['containers', 'update', '--all', '--json'])).containers).toEqual([]);
});

test('a failure, a damaged, a held and an interrupted container do not stop the others', async () => {
  const names = ['cut', 'dies', 'held', 'same', 'torn', 'web'];
  for (const name of names) await installWord(name);
  await command('systemctl', 'start', ...names);
  for (const name of ['dies', 'held', 'torn', 'web']) {
    await atomic(['pull', await pushWord(name, name === 'dies' ? 'broken' : 'new')]);
  }
  await atomic(['containers', 'hold', 'held']);
  writeFileSync(`${checkouts}/torn/info`, '{"image": ');
  runKilled([...update, '--set', 'WORD=cut', 'cut'], 'rename', `${checkouts}/.cut.link`);
  expect(existsSync(`${journals}/cut.json`)).toBe(true);

  const run = await runAtomic([...update, '--all']);
  expect(run.status).toBe(1);
  const [, summary = ''] = run.stdout.split('\nSUMMARY\n');
  expect(
    summary.split('\n').map((line) =>
      line
        .replace(/\s+[0-9a-f]{12}/g, '')
        .replace(/ {2,}/g, '  ')
        .trim(),
    ),
  ).toEqual([
    'Container  Image ID before update  Image ID after update  Status',
    ...['cut  Updated', 'dies  Failed: ROLLED_BACK', 'held  Not updated: it is held', 'same  Updated'],
    ...['torn  Failed: CONTAINER_DAMAGED', 'web  Updated now', ''],
  ]);
  expect(run.stderr).toContain('Cannot update torn: Cannot read ');
  expect(run.stderr).toContain('Remove what is left of it with `atomic uninstall torn`');
  expect([readWord('cut'), readWord('web'), readWord('held')]).toEqual(['old', 'new', 'old']);
  for (const name of ['cut', 'dies', 'held', 'same', 'web']) expect(await readActivity(name)).toBe('active');
  expect(readdirSync(journals)).toEqual([]);

  // The image that failed is skipped now; the person who names the container tries it again.
  const again = await runAtomic([...update, '--all', '--json']);
  const { containers } = JSON.parse(again.stdout);
  expect(containers.map(({ name, outcome }: Record<string, string>) => `${name} ${outcome}`)).toEqual([
    ...['cut up-to-date', 'dies refused', 'held held', 'same up-to-date', 'torn failed', 'web up-to-date'],
  ]);
  expect(again.status).toBe(1);
  const named = await runAtomic([...update, 'dies']);
  expect([named.status, named.stderr]).toEqual([1, expect.stringContaining('dies: trying image ')]);
  expect(named.stderr).toContain('again; its service did not come up at ');
  await atomic(['pull', await pushWord('dies', 'new')]);
  expect((await runAtomic([...update, 'dies'])).stderr).not.toContain('trying image');

  const together = await runAtomic([...update, '--together', '--all', '--set-any', 'X=1']);
  expect([together.status, together.stderr]).toEqual([2, expect.stringContaining("doesn't support --set")]);
  await atomic(['pull', await pushWord('web', 'newer')]);
  const group = await runAtomic([...update, '--together', '--all']);
  expect(group.status).toBe(1);
  expect(group.stdout).toMatch(/\n +torn .*Failed: CONTAINER_DAMAGED\n/);
  expect(group.stdout).toMatch(/\n +web .*Not updated: the update of torn failed\n/);
  expect(readWord('web')).toBe('new');
  await atomic(['containers', 'unhold', 'held']);
  await atomic(['uninstall', ...names]);
});

test('remains of every kind are named by check, fetch and update, and stop none of them', async () => {
  await installWord('good');
  symlinkSync('/nowhere/gone.0', `${checkouts}/gone`);
  symlinkSync('self', `${checkouts}/self`);
  mkdirSync(`${checkouts}/stray.0/rootfs`, { recursive: true });
  mkdirSync(`${checkouts}/folder.0/info`, { recursive: true });
  symlinkSync(`${checkouts}/folder.0`, `${checkouts}/folder`);
  await pushWord('good', 'new');
  const remains = ['folder', 'gone', 'self', 'stray'];
  const expected = (good: string, damaged: string) =>
    ['folder', 'gone', 'good', 'self', 'stray'].map((name) => `${name} ${name === 'good' ? good : damaged}`);
  for (const [args, good, damaged] of [
    [['containers', 'check', '--json'], 'newer', 'damaged'],
    [['containers', 'fetch', '--json'], 'fetched', 'failed'],
    [[...update, '--all', '--json'], 'updated', 'failed'],
  ] as const) {
    const { stdout } = await runAtomic(args);
    const lines = JSON.parse(stdout).containers as readonly Record<string, string>[];
    expect(lines.map(({ name, outcome }) => `${name} ${outcome}`)).toEqual(expected(good, damaged));
  }
  expect(readWord('good')).toBe('new');
  await atomic(['uninstall', 'good', ...remains]);
  expect(readdirSync(checkouts).filter((name) => !name.startsWith('.'))).toEqual([]);
  expect(readdirSync(journals)).toEqual([]);
});

test('an image from a file is read again only when it is named, and not asked for in a registry', async () => {
  const image = await pushWord('filed', 'old');
  const layout = 'oci:/var/tmp/layout:v1';
  const copy = () => command('skopeo', 'copy', '--quiet', `docker://${image}`, layout);
  await copy();
  await atomic(['install', '--name', 'filed', layout]);
  await pushWord('filed', 'new');
  await copy();
  const run = await runAtomic([...update, '--pull', 'filed']);
  expect([run.status, run.stdout]).toEqual([0, 'Latest version already installed.\n']);
  expect(run.stderr).toBe(`filed: its image came from ${layout}, which only --rebase reads again\n`);
  await atomic([...update, '--rebase', layout, '--pull', 'filed']);
  expect(readWord('filed')).toBe('new');
  await atomic(['images', 'delete', '-f', 'layout:v1']);
  const lost = await runAtomic([...update, '--pull', 'filed']);
  expect([lost.status, lost.stderr]).toEqual([1, expect.stringContaining('--rebase SOURCE\n')]);
  const { stdout } = await runAtomic([...update, '--all', '--display']);
  expect(stdout).toMatch(/^ *filed( +[0-9a-f]{12}){2} +Failed: IMAGE_NOT_FOUND$/m);
  await atomic(['uninstall', 'filed']);
});

test('an image is remembered also when the old service does not come up again', async () => {
  await installWord('lost');
  await command('systemctl', 'start', 'lost');
  await pushWord('lost', 'broken');
  const dropIn = '/etc/systemd/system/lost.service.d';
  mkdirSync(dropIn);
  writeFileSync(`${dropIn}/x.conf`, '[Service]\nExecStartPre=/bin/false\n');
  await command('systemctl', 'daemon-reload');
  const run = await runAtomic([...update, '--pull', '--json', 'lost']);
  const { error } = JSON.parse(run.stderr.trim().split('\n').at(-1) ?? '');
  expect(error).toMatchObject({ code: 'ROLLBACK_FAILED', details: { phase: 'start', culprit: 'lost' } });
  rmSync(dropIn, { recursive: true });
  await command('systemctl', 'daemon-reload');
  await command('systemctl', 'start', 'lost');
  expect(await atomic([...update, '--all'])).toContain('is not tried again: ');
  expect([readWord('lost'), await readActivity('lost')]).toEqual(['old', 'active']);
  await atomic(['uninstall', 'lost']);
});

test('two services that require each other, one by one and together', async () => {
  await installWord('left', 'Requires=right.service');
  await installWord('right', 'Requires=left.service');
  await command('systemctl', 'start', 'left', 'right');
  for (const [word, more] of [
    ['new', []],
    ['newer', ['--together']],
  ] as const) {
    for (const name of ['left', 'right']) {
      const other = name === 'left' ? 'right' : 'left';
      await atomic(['pull', await pushWord(name, word, `Requires=${other}.service`)]);
    }
    await atomic([...update, ...more, 'left', 'right']);
    expect([readWord('left'), readWord('right')]).toEqual([word, word]);
    expect([await readActivity('left'), await readActivity('right')]).toEqual(['active', 'active']);
  }
  await atomic(['pull', await pushWord('left', 'broken', 'Requires=right.service')]);
  expect((await runAtomic([...update, 'left', 'right'])).status).toBe(1);
  expect([readWord('left'), await readActivity('left'), await readActivity('right')]).toEqual([
    ...['newer', 'active', 'active'],
  ]);

  // Of a group of which one has nothing to do, that one keeps running unless the other one needs it.
  await installWord('alone');
  await command('systemctl', 'start', 'alone');
  const invocation = await readInvocation('alone');
  await atomic(['pull', await pushWord('left', 'last', 'Requires=right.service')]);
  const { containers } = JSON.parse(await atomic([...update, '--together', '--json', 'left', 'alone']));
  expect(containers.map(({ outcome }: Record<string, string>) => outcome)).toEqual(['updated', 'up-to-date']);
  expect(containers[0].restarted.toSorted()).toEqual(['left.service', 'right.service']);
  expect([await readInvocation('alone'), await readActivity('right')]).toEqual([invocation, 'active']);
});
