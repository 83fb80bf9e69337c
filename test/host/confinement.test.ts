/** A configuration that would harm the host or the store is refused before the first change; an allowed one works. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { atomic, runAtomic } from '../support/atomic.ts';
import type { TarEntry } from '../support/tar-writer.ts';
import { configTemplate, type ImageSource, openImageSource, serviceExports } from './container-images.ts';
import { withoutAsks } from './support/asks.ts';
import { runCommand } from './support/commands.ts';
import { checkouts, expectRefusal } from './support/refusal.ts';

let images: ImageSource;

beforeAll(async () => {
  images = await openImageSource();
  // Makes the folders of the store, locks and journals, which stay.
  const service = await images.push('service', { exports: serviceExports });
  await atomic(['install', '--system', service]);
  await atomic(['uninstall', 'service']);
  mkdirSync('/srv/data', { recursive: true });
  symlinkSync(checkouts, '/srv/link');
  mkdirSync('/srv/alias');
  expect(await runCommand(['mount', '--bind', `${checkouts}/.storage`, '/srv/alias'])).toMatchObject({
    status: 0,
  });
});
afterAll(async () => {
  await runCommand(['umount', '/srv/alias']);
  await images[Symbol.asyncDispose]();
});

const link = (path: string, linkName: string): TarEntry => ({ path, type: 'symlink', linkName });
const bind = (source: string, destination = '/data', ...options: string[]) => ({
  destination,
  type: 'bind',
  source,
  options: ['rbind', ...options],
});

/** The configuration of the test service with more in it. */
function extend(
  change: (config: { mounts: object[]; process: object; linux: object; hooks?: object }) => void,
) {
  const config = JSON.parse(configTemplate);
  change(config);
  return { ...serviceExports, 'config.json.template': JSON.stringify(config) };
}
const withMounts = (...mounts: object[]) => extend((config) => config.mounts.push(...mounts));
const withText = (from: string, to: string) => ({
  ...serviceExports,
  'config.json.template': configTemplate.replace(from, to),
});

async function expectRefused(name: string, image: string, problem: string): Promise<void> {
  await atomic(['pull', image]);
  await expectRefusal(['atomic', 'install', '--system', image], {
    stderr: [
      `error: Invalid configuration file.  ${problem} (${checkouts}/${name}.0/config.json)`,
      /^hint: (?:It comes from|Such a path could lead the runtime out of the container)/,
    ],
  });
}

describe('an image that leads the runtime out of its root', () => {
  test.each<[string, Record<string, string> | undefined, TarEntry[], string]>([
    [
      'dev-link',
      undefined,
      [link('dev', '/etc/profile.d')],
      "mounts[1].destination '/dev': /dev is a symlink to /etc/profile.d in the image",
    ],
    [
      'run-link',
      undefined,
      [link('run', '../etc/cron.d')],
      "mounts[7].destination '/run': /run is a symlink to ../etc/cron.d in the image",
    ],
    [
      'hosts-folder',
      undefined,
      [{ path: 'etc/hosts', type: 'directory' }],
      "mounts[14].destination '/etc/hosts' is a folder in the image, and the source is a file",
    ],
    [
      'own-dev',
      serviceExports,
      [link('dev', '/etc/profile.d')],
      "The folder for devices '/dev': /dev is a symlink to /etc/profile.d in the image",
    ],
    [
      'console',
      serviceExports,
      [link('dev/console', '/etc/console')],
      "The device '/dev/console': /dev/console is a symlink to /etc/console in the image",
    ],
    [
      'template-link',
      withMounts(bind('/srv/data', '/data/x')),
      [link('data', '/etc')],
      "mounts[2].destination '/data/x': /data is a symlink to /etc in the image",
    ],
  ])('%s', async (name, exports, extra, problem) => {
    await expectRefused(
      name,
      await images.push(name, { exports, extra, config: { Cmd: ['/bin/run.sh'] } }),
      problem,
    );
  });
});

describe('a configuration that reaches the store', () => {
  const into = (path: string): string => `leads into ${path}, where images and containers are kept`;
  const repository = `${checkouts}/.storage/ostree`;

  test.each<[string, Record<string, string>, string]>([
    [
      'store',
      withMounts(bind(`${repository}/objects`, '/data', 'ro')),
      `mounts[2].source '${repository}/objects' ${into(checkouts)}`,
    ],
    [
      'state',
      withMounts(bind(`/srv/../${checkouts}/.atomic/`)),
      `mounts[2].source '/srv/../${checkouts}/.atomic/' ${into(checkouts)}`,
    ],
    [
      'symlink',
      withMounts(bind('/srv/link/other.0/rootfs')),
      `mounts[2].source '/srv/link/other.0/rootfs' ${into(checkouts)}`,
    ],
    [
      'alias',
      withMounts(bind('/srv/alias/ostree')),
      `mounts[2].source '/srv/alias/ostree' ${into(checkouts)}`,
    ],
    ['relative', withMounts(bind('rootfs/etc')), `mounts[2].source 'rootfs/etc' ${into(checkouts)}`],
    [
      'process',
      withMounts(bind('/proc/self/cwd/rootfs')),
      "mounts[2].source '/proc/self/cwd/rootfs' leads through /proc/self/cwd, which differs for every process",
    ],
    [
      'overlay',
      withMounts({
        destination: '/data',
        type: 'overlay',
        source: 'overlay',
        options: [`lowerdir=/srv/data,upperdir=${checkouts}/x.0/rootfs/etc`, 'workdir=/srv/work'],
      }),
      `mounts[2].options '${checkouts}/x.0/rootfs/etc' ${into(checkouts)}`,
    ],
    [
      'no-namespace',
      withText('{"type":"mount"},', ''),
      'linux.namespaces must name a mount namespace: without one the runtime mounts on the host',
    ],
    [
      'host-namespace',
      withText('{"type":"mount"}', '{"type":"mount","path":"/proc/1/ns/mnt"}'),
      'linux.namespaces: the mount namespace must be a new one, without a path',
    ],
  ])('%s', async (name, exports, problem) => {
    await expectRefused(name, await images.push(name, { exports }), problem);
  });

  test.each<[string, string, string, string]>([
    ['upper-root', '"root"', '"ROOT":{},"root"', "the key 'ROOT' must be written 'root'"],
    [
      'upper-readonly',
      '"readonly":true',
      '"readonly":true,"ReadOnly":false',
      "the key 'ReadOnly' must be written 'readonly'",
    ],
    ['two-roots', '"root"', '"root":{},"root"', "the key 'root' is there twice"],
  ])('%s', async (name, from, to, problem) => {
    const exports = withText(from, to);
    const column = exports['config.json.template'].indexOf(to) + 1;
    const image = await images.push(name, { exports });
    const offset = to.lastIndexOf(/'(\w+)'/.exec(problem)?.[1] ?? '') - 1;
    await expectRefused(name, image, `line 1, column ${column + offset}: ${problem}`);
  });
});

test('warns of what gives a service power over the host', async () => {
  const all = ['CAP_SYS_ADMIN', 'CAP_CHOWN'];
  const exports = extend((config) => {
    Object.assign(config.process, { capabilities: { bounding: all, effective: all, permitted: all } });
    config.mounts.push(bind('/var/lib', '/host/lib'), bind('/var', '/host/var', 'ro'), bind('/srv/data'));
    config.hooks = { prestart: [{ path: '/bin/true' }] };
  });
  const image = await images.push('powerful', { exports });
  const planned = await runAtomic(['install', '--system', '--display', image]);
  const { stderr, status } = await runAtomic(['install', '--system', image]);
  expect(planned).toMatchObject({ stderr: withoutAsks(stderr), status });
  expect({ lines: stderr.split('\n').filter((line) => line.includes('config.json')), status }).toEqual({
    lines: [
      'Warning: config.json starts /bin/true on the host, as root and outside the container (hooks.prestart).',
      'Warning: config.json gives the service CAP_SYS_ADMIN: it can make its root filesystem writable, and so change the files of other containers and the store.',
      `Warning: config.json gives the service write access to /var/lib, and so to ${checkouts}: it can change the files of other containers and the store.`,
      // /var/lib/containers is a mount of its own here, which `ro` does not protect.
      `Warning: config.json gives the service write access to /var, and so to ${checkouts}: it can change the files of other containers and the store.`,
    ],
    status: 0,
  });
  await atomic(['uninstall', 'powerful']);
});

test.each(['/usr/bin/runc', '/usr/bin/crun'])(
  'a mount through a usual symlink works with %s',
  async (runtime) => {
    const name = `usual-${runtime.slice(-4)}`;
    const exports = withText('"destination":"/run"', '"destination":"/var/run"');
    const image = await images.push(name, { exports, extra: [link('var/run', '../run')] });
    await atomic(['install', '--system', '--runtime', runtime, image]);
    try {
      expect(await runCommand(['systemctl', 'start', name])).toMatchObject({ status: 0 });
      for (let tries = 0; !existsSync(`/run/${name}/word`) && tries < 500; tries += 1) await Bun.sleep(10);
      expect(readFileSync(`/run/${name}/word`, 'utf8')).toBe('hello\n');
    } finally {
      await atomic(['uninstall', name]);
      rmSync(`/run/${name}`, { recursive: true, force: true });
    }
  },
);
