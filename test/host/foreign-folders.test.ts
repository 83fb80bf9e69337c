/** Folders with the name of a container: those of other programs are no state of the container, its own ones are. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { atomic, runAtomic } from '../support/atomic.ts';
import { configTemplate, type ImageSource, openImageSource, serviceExports } from './container-images.ts';
import { checkouts } from './host-state.ts';
import { command, waitUntil } from './support/commands.ts';

let images: ImageSource;
beforeAll(async () => {
  images = await openImageSource();
});
afterAll(() => images[Symbol.asyncDispose]());

/** A service that writes into its state folder. */
async function pullStateful(stateVersion: string): Promise<string> {
  const config = JSON.parse(configTemplate);
  const source = '$STATE_DIRECTORY/$NAME';
  config.mounts.push({ destination: '/var', type: 'bind', source, options: ['bind', 'rw'] });
  const script = `#!/bin/sh\ntrap 'exit 0' TERM\necho ${stateVersion} > /var/form\nwhile :; do sleep 0.1; done\n`;
  const image = await images.push('stateful', {
    exports: {
      ...serviceExports,
      'manifest.json': JSON.stringify({ settle: 0.3, stateVersion, defaultValues: { WORD: 'x' } }),
      'config.json.template': JSON.stringify(config),
      'tmpfiles.template': `D /run/$NAME 0755 - - -\nd ${source} 0700 - - -\n`,
    },
    extra: [{ path: 'bin/run.sh', mode: 0o755, content: script }],
  });
  await atomic(['pull', image]);
  return image;
}

function readInfo(name: string): Record<string, unknown> {
  return JSON.parse(readFileSync(`${checkouts}/${name}/info`, 'utf8'));
}

async function start(name: string): Promise<void> {
  await command('systemctl', 'start', name);
  await waitUntil(`${name} has written`, async () => existsSync(`/var/lib/${name}/form`));
}

function listCopies(name: string): readonly string[] {
  return [0, 1].flatMap((number) => {
    const folder = `${checkouts}/${name}.${number}`;
    return existsSync(folder) ? readdirSync(folder).filter((entry) => entry.startsWith('state')) : [];
  });
}

test('a folder that was there before is asked for, and neither copied nor removed', async () => {
  const folder = '/var/lib/elder';
  mkdirSync(folder, { mode: 0o755 });
  writeFileSync(`${folder}/status`, 'of another program');
  mkdirSync('/run/elder');
  const image = await pullStateful('1');
  const asked = [`Asks: ${folder} of the host, writable\n`, `Asks: tmpfiles.d: d ${folder} 0700 - - -\n`];
  const display = await atomic(['install', '--display', '--name', 'elder', image]);
  for (const line of asked) expect(display).toContain(`# ${line}`);
  expect(display).toContain('# Asks: tmpfiles.d: D /run/elder 0755 - - -\n');
  const { stderr } = await runAtomic(['install', '--name', 'elder', image]);
  for (const line of asked) expect(stderr).toContain(line);
  expect(readInfo('elder')['foreign-folders']).toEqual([folder, '/run/elder']);

  await start('elder');
  await pullStateful('2');
  const update = await runAtomic(['containers', 'update', 'elder']);
  expect(update.stderr).toContain(`${folder} is not copied: it existed before elder was installed`);
  expect([update.status, listCopies('elder')]).toEqual([0, []]);
  const { installed } = JSON.parse(await atomic(['containers', 'inspect', '--json', 'elder'])).containers[0]
    .deployments[0];
  expect(installed.asks).toContainEqual({ kind: 'host-path', subject: folder, access: 'writable' });

  const removal = JSON.parse(await atomic(['uninstall', '--purge', '-y', '--json', 'elder']));
  expect(removal).toEqual({ schemaVersion: 1, uninstalled: 'elder', kept: [] });
  expect(readFileSync(`${folder}/status`, 'utf8')).toBe('of another program');
  // Not marked: it is no folder of a container now, either.
  expect(await atomic(['install', '--display', '--name', 'elder', image])).toContain(`# ${asked[0]}`);
  rmSync(folder, { recursive: true });
});

test('an earlier container of the name has left its state', async () => {
  const folder = '/var/lib/own';
  const image = await pullStateful('1');
  const install = ['install', '--name', 'own', image];
  expect((await runAtomic(install)).stderr).not.toContain(folder);
  await start('own');
  const removal = await runAtomic(['uninstall', '--json', 'own']);
  expect(JSON.parse(removal.stdout).kept).toEqual([folder]);
  expect((await runAtomic(install)).stderr).not.toContain(folder);
  expect(readInfo('own')['foreign-folders']).toBeUndefined();
  await start('own');
  await pullStateful('2');
  const plan = ['containers', 'update', '--display', 'own'];
  expect(await atomic(plan)).toContain(`# Copies the state ${folder}, for a rollback\n`);
  expect(JSON.parse(await atomic([...plan, '--json'])).containers[0].state_copy).toBe(folder);
  await atomic(['containers', 'update', 'own']);
  expect(listCopies('own')).toEqual(['state']);
  await atomic(['uninstall', 'own']);

  // The folder of another container, or one that lost its mark, is not that of `own`.
  await command('setfattr', '-x', 'trusted.atomic.container', folder);
  expect((await runAtomic(install)).stderr).toContain(`Asks: ${folder} of the host, writable\n`);
  await atomic(['uninstall', 'own']);
  rmSync(folder, { recursive: true });
});

test('volumes in a folder of another program belong to the container; the folder stays', async () => {
  const folder = '/var/lib/mixed';
  mkdirSync(folder, { mode: 0o750 });
  const image = await images.push('mixed', {
    exports: undefined,
    config: { Cmd: ['/bin/busybox', 'sleep', '1000'], Volumes: { '/data': {} } },
  });
  const install = ['install', '--name', 'mixed', image];
  const display = await atomic([...install.slice(0, 1), '--display', ...install.slice(1)]);
  expect(display).toContain(`# Volume /data in ${folder}/volumes/data\n`);
  expect(display).not.toContain(`Asks: ${folder}`);
  const { plan } = JSON.parse(await atomic(['install', '--json', ...install.slice(1)]));
  expect(plan.volumes).toEqual([
    { path: '/data', folder: `${folder}/volumes/data`, new: true },
    { path: '/var/lib', folder: `${folder}/volumes/var/lib`, new: true },
  ]);
  writeFileSync(`${folder}/volumes/data/x`, '');
  expect(JSON.parse(await atomic(['uninstall', '--json', 'mixed'])).kept).toEqual([`${folder}/volumes`]);
  await atomic(install);
  expect(JSON.parse(await atomic(['uninstall', '--purge', '-y', '--json', 'mixed'])).kept).toEqual([]);
  expect([readdirSync(folder), statSync(folder).mode & 0o777]).toEqual([[], 0o750]);
});

test('a volume of an option replaces that of the image, whose folder is not made', async () => {
  mkdirSync('/srv/data', { recursive: true });
  const image = await images.push('given', {
    exports: undefined,
    config: { Cmd: ['/bin/busybox', 'sleep', '1000'], Volumes: { '/data': {}, '/cache': {} } },
  });
  const options = ['--volume', '/srv/data:/data', '--tmpfs', '/cache'];
  const { plan } = JSON.parse(await atomic(['install', '--json', '--name', 'given', ...options, image]));
  expect(plan.volumes.map(({ path }: { path: string }) => path)).toEqual(['/var/lib']);
  expect(readdirSync('/var/lib/given/volumes').sort()).toEqual(['.atomic', 'var']);
  await command('systemctl', 'start', 'given');
  await atomic(['containers', 'update', '--reset', 'volume=/data', '--settle', '0.2', 'given']);
  expect(readdirSync('/var/lib/given/volumes').sort()).toEqual(['.atomic', 'data', 'var']);
  await atomic(['uninstall', '--purge', '-y', 'given']);
});
