/**
 * Every document for programs at least once, as docs/schemas says: each run with `--json` is compared with the schema
 * of its verb (test/support/schemas.ts). The tests of the verbs compare the content of the documents.
 */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { chmodSync, mkdirSync, readFileSync } from 'node:fs';
import { atomic, runAtomic } from '../support/atomic.ts';
import { listFoundSchemas, requireProgressSchema, schemaNames } from '../support/schemas.ts';
import { tree } from '../support/tree.ts';
import { type ImageSource, openImageSource, serviceExports } from './container-images.ts';
import { checkouts } from './host-state.ts';
import { journals, runKilled } from './killed-runs.ts';
import { command } from './support/commands.ts';

const quick = ['--settle', '0.5'];

let images: ImageSource;
let image: string;
beforeAll(async () => {
  images = await openImageSource();
  image = await images.push('service', {
    exports: serviceExports,
    config: { Labels: { Version: '1' }, Env: ['A=1'], Cmd: ['/bin/run.sh'], StopSignal: 'SIGTERM' },
    extra: tree`
      f etc/data 0644 first
      f bin/tool 0755 tool
      l bin/link -> tool
    `,
  });
});
afterAll(() => images[Symbol.asyncDispose]());

async function readDocument(...args: readonly string[]) {
  return JSON.parse(await atomic([...args, '--json']));
}

async function pushNext(): Promise<void> {
  const manifest = '{"version":"1.0","defaultValues":{"WORD":"new"}}';
  const config = JSON.parse(serviceExports['config.json.template'] ?? '');
  const mount = { destination: '/host', type: 'bind', source: '/etc', options: ['bind', 'ro'] };
  const asking = JSON.stringify({ ...config, mounts: [...config.mounts, mount] });
  await images.push('service', {
    exports: { ...serviceExports, 'manifest.json': manifest, 'config.json.template': asking },
    extra: tree`
      f etc/data 0600 second version
      f bin/tool 04755 tool
      l bin/link -> run.sh
    `,
  });
}

test('of images', async () => {
  await readDocument('pull', image);
  for (const args of [['list'], ['list', '-a'], ['info', image], ['inspect', image], ['history', image]]) {
    await readDocument('images', ...args);
  }
  await readDocument('images', 'version', image);
  await readDocument('version', image);
  expect((await readDocument('version')).version).toMatch(/^\d+\.\d+\.\d+$/);
  expect(await readDocument('--version')).toEqual(await readDocument('version'));
  await readDocument('lint', image);
  await readDocument('images', 'tag', image, 'other:1');
  await readDocument('images', 'push', image, `${images.registry.address}/test/copy:1`);
  for (const target of ['oci:/tmp/layout', 'docker-archive:/tmp/saved.tar']) {
    await readDocument('images', 'export', image, target);
  }
  await readDocument('images', 'verify', '--remote');
  await readDocument('images', 'update', image);
});

test('of a container, and of its damage', async () => {
  await readDocument('install', '--display', image);
  const line = `atomic install --json --progress-fd 3 ${image} 3>/tmp/progress`;
  await command('sh', '-c', line);
  requireProgressSchema(readFileSync('/tmp/progress', 'utf8'));
  await readDocument('install', image);
  await command('systemctl', 'start', 'service');
  await readDocument('status', 'service');
  await readDocument('containers', 'list', '-a');
  await readDocument('containers', 'verify');
  await readDocument('images', 'inspect', image);

  chmodSync(`${checkouts}/service/rootfs/etc/data`, 0o600);
  expect((await runAtomic(['images', 'verify', '--json'])).status).toBe(1);
  await readDocument('verify', '--repair', '--remote');
});

test('of roots', async () => {
  mkdirSync('/tmp/image');
  mkdirSync('/tmp/container');
  await readDocument('mount', image, '/tmp/image');
  await readDocument('mount', 'service', '/tmp/container');
  expect((await runAtomic(['uninstall', '--json', 'service'])).status).toBe(1);
  await readDocument('unmount', '/tmp/image');
  await command('umount', '/tmp/container');
  await readDocument('umount', '/tmp/container');
});

test('of updates', async () => {
  await pushNext();
  await readDocument('containers', 'check');
  await readDocument('containers', 'hold', 'service');
  await readDocument('containers', 'fetch', 'service');
  await readDocument('containers', 'update', '--all');
  await readDocument('containers', 'unhold', 'service');
  await readDocument('images', 'update', '--all');
  await readDocument('diff', 'service', image);
  await readDocument('containers', 'update', '--display', '--accept-widening', 'service');
  await readDocument('containers', 'update', '--accept-widening', ...quick, 'service');
  await readDocument('containers', 'update', 'service');
  await readDocument('containers', 'rollback', '--display', 'service');
  await readDocument('containers', 'rollback', ...quick, 'service');
  await readDocument('containers', 'inspect', 'service');
  await readDocument('diff', 'service');
  expect((await runAtomic(['containers', 'update', '--all', '--json'])).status).toBe(1);
});

test('of deletions', async () => {
  await atomic(['install', '--name', 'second', image]);
  runKilled(['uninstall', 'second'], 'unlink', `${journals}/second.json`);
  expect((await readDocument('recover')).recovered).toEqual([
    { container: 'second', operation: 'uninstall', outcome: 'finished' },
  ]);
  await readDocument('uninstall', 'service');
  for (const name of ['a', 'b', 'c']) await atomic(['install', '--name', name, image]);
  await readDocument('uninstall', 'a', 'b');
  await readDocument('containers', 'delete', '-y', 'c');
  await readDocument('images', 'delete', '-f', '--all');
  await readDocument('images', 'prune');
});

test('is each that has a schema', () => {
  expect(listFoundSchemas()).toEqual(schemaNames);
});
