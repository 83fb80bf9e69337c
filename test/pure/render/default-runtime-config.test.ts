import { describe, expect, test } from 'bun:test';
import { checkInstalledRoot } from '../../../src/containers/render/config/check-runtime-config.ts';
import { dropInit } from '../../../src/containers/render/config/default-init.ts';
import { hostNetworkFiles } from '../../../src/containers/render/config/default-mounts.ts';
import {
  buildDefaultRuntimeConfig,
  type DefaultConfigFacts,
  listSearchPath,
} from '../../../src/containers/render/config/default-runtime-config.ts';
import { listBindSources, parseRuntimeConfig } from '../../../src/containers/render/config/runtime-config.ts';
import { emptyImageConfig, type ImageConfig } from '../../../src/image/configuration-blob.ts';
import { catchError } from '../../support/thrown-error.ts';

const facts: DefaultConfigFacts = {
  hasRunScript: false,
  init: undefined,
  volumes: [],
  runFolders: [],
  imageConfig: { ...emptyImageConfig, entrypoint: ['/etcd'], cmd: ['--help'] },
  user: { uid: 0, gid: 0, additionalGids: [] },
  hostFiles: hostNetworkFiles,
};
const build = (change: Partial<DefaultConfigFacts>) =>
  JSON.parse(buildDefaultRuntimeConfig({ ...facts, ...change }));
const buildFor = (image: Partial<ImageConfig>) => build({ imageConfig: { ...facts.imageConfig, ...image } });

describe('buildDefaultRuntimeConfig', () => {
  test('passes its own checks', () => {
    const config = parseRuntimeConfig(buildDefaultRuntimeConfig(facts), 'config.json');
    expect(checkInstalledRoot(config, 'config.json')).toBeUndefined();
    expect(listBindSources(config)).toEqual(['/etc/resolv.conf', '/etc/hosts', '/etc/hostname']);
  });

  test('is text with 4 spaces and a final newline', () => {
    expect(buildDefaultRuntimeConfig(facts)).toStartWith('{\n    "ociVersion": "1.0.2",\n');
    expect(buildDefaultRuntimeConfig(facts)).toEndWith('\n}\n');
  });

  test('starts run.sh, or Entrypoint and Cmd, and never has a terminal', () => {
    expect(build({ hasRunScript: true }).process).toMatchObject({ args: ['run.sh'], terminal: false });
    expect(build({}).process).toMatchObject({ args: ['/etcd', '--help'], terminal: false });
    expect(buildFor({ entrypoint: [] }).process.args).toEqual(['--help']);
    expect(buildFor({ cmd: [] }).process.args).toEqual(['/etcd']);
  });

  test('runs the command below an init of the host, unless it is one', () => {
    const init = '/usr/bin/tini-static';
    const { args } = build({ init }).process;
    expect(args).toEqual(['/dev/init', '--', '/etcd', '--help']);
    expect(dropInit(args)).toEqual(['/etcd', '--help']);
    expect(dropInit(['/etcd', '--'])).toEqual(['/etcd', '--']);
    expect(build({ init }).mounts.at(-1)).toEqual({
      destination: '/dev/init',
      type: 'bind',
      source: init,
      options: ['bind', 'ro', 'nosuid', 'nodev'],
    });
    for (const program of ['/sbin/init', '/init', 'dumb-init', '/usr/bin/tini', '/lib/systemd/systemd']) {
      const own = build({ init, imageConfig: { ...facts.imageConfig, entrypoint: [program] } });
      expect(own.process.args).toEqual([program, '--help']);
      expect(JSON.stringify(own.mounts)).not.toContain(init);
    }
  });

  test('makes folders in /run for the packages of the image, except in a volume', () => {
    const folder = (path: string) => ({ path, mode: 0o2775, uid: 5, gid: 6 });
    const runFolders = [folder('/run/db'), folder('/run/web/socket')];
    const list = (volumes: readonly string[]) =>
      build({ runFolders, volumes: volumes.map((path) => ({ path, source: '/srv' })) }).mounts.filter(
        ({ destination }: { destination: string }) => destination.startsWith('/run/'),
      );
    const options = ['nosuid', 'nodev', 'mode=2775', 'uid=5', 'gid=6'];
    const mount = (destination: string) => ({ destination, type: 'tmpfs', source: 'tmpfs', options });
    expect(list([])).toEqual([mount('/run/db'), mount('/run/web/socket')]);
    expect(list(['/run/web'])).toMatchObject([mount('/run/db'), { destination: '/run/web', type: 'bind' }]);
    expect(list(['/run'])).toEqual([]);
  });

  test('binds the volumes above the folders in memory, which a volume replaces', () => {
    const list = (...paths: readonly string[]): readonly string[] =>
      build({ volumes: paths.map((path) => ({ path, source: `/state${path}` })), hostFiles: ['/etc/hosts'] })
        .mounts.map(
          ({ destination, type }: { destination: string; type: string }) => `${destination} ${type}`,
        )
        .slice(7);
    expect(list('/var/cache/a', '/var/lib')).toEqual([
      ...['/run tmpfs', '/tmp tmpfs', '/var/cache tmpfs', '/var/log tmpfs', '/var/tmp tmpfs'],
      ...['/var/cache/a bind', '/var/lib bind', '/etc/hosts bind'],
    ]);
    expect(list('/tmp', '/var')).toEqual(['/run tmpfs', '/tmp bind', '/var bind', '/etc/hosts bind']);
    const [mount] = build({ volumes: [{ path: '/data', source: '/state/data' }] }).mounts.slice(12);
    expect(mount).toEqual({
      destination: '/data',
      type: 'bind',
      source: '/state/data',
      options: ['rbind', 'rw', 'nosuid', 'nodev'],
    });
  });

  test('takes the environment, the last of equal names, and adds a PATH', () => {
    const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
    expect(build({}).process.env).toEqual([path]);
    expect(buildFor({ env: ['A=1', 'B=x=y\nz', 'A=2', 'C='] }).process.env).toEqual([
      path,
      'A=2',
      'B=x=y\nz',
      'C=',
    ]);
    expect(buildFor({ env: ['PATH=/bin'] }).process.env).toEqual(['PATH=/bin']);
  });

  test.each([
    ['', '/'],
    ['/srv', '/srv'],
    ['srv', '/srv'],
  ])('working directory %j becomes %s', (workingDirectory, cwd) => {
    expect(buildFor({ workingDirectory }).process.cwd).toBe(cwd);
  });

  test('a user other than root holds no capabilities', () => {
    const root = build({}).process;
    expect(root.user).toEqual({ uid: 0, gid: 0 });
    expect(root.capabilities.effective).toEqual(root.capabilities.bounding);
    expect(root.capabilities.permitted).toEqual(root.capabilities.bounding);
    const etcd = build({ user: { uid: 998, gid: 997, additionalGids: [10] } }).process;
    expect(etcd.user).toEqual({ uid: 998, gid: 997, additionalGids: [10] });
    expect(etcd.capabilities).toEqual({ bounding: root.capabilities.bounding });
  });

  test('gives no capability that reaches the host or its network', () => {
    const { bounding } = build({}).process.capabilities;
    for (const name of [
      'CAP_SYS_ADMIN',
      'CAP_NET_RAW',
      'CAP_NET_ADMIN',
      'CAP_MKNOD',
      'CAP_SYS_MODULE',
      'CAP_SYS_PTRACE',
    ]) {
      expect(bounding).not.toContain(name);
    }
  });

  test('shares the network of the host, and its name', () => {
    expect(build({}).linux.namespaces).toEqual([
      { type: 'pid' },
      { type: 'ipc' },
      { type: 'mount' },
      { type: 'cgroup' },
    ]);
    expect(build({})).not.toHaveProperty('hostname');
  });

  test('binds only the host files that exist', () => {
    const destinations = (hostFiles: readonly string[]) =>
      build({ hostFiles }).mounts.map((mount: { destination: string }) => mount.destination);
    const base = [
      '/proc',
      '/dev',
      '/dev/pts',
      '/dev/shm',
      '/dev/mqueue',
      '/sys',
      '/sys/fs/cgroup',
      '/run',
      '/tmp',
      '/var/cache',
      '/var/log',
      '/var/tmp',
    ];
    expect(destinations([])).toEqual(base);
    expect(destinations(['/etc/hosts'])).toEqual([...base, '/etc/hosts']);
  });

  test('refuses an image without a command', () => {
    expect(catchError(() => buildFor({ entrypoint: [], cmd: [] }))).toEqual({
      code: 'CONFIG_INVALID',
      message:
        'Cannot start the image: it has no config.json.template, no run.sh on its PATH, no Entrypoint and no Cmd',
      hint: 'Add one of them to the image; config.json.template belongs in its folder /exports.',
    });
  });

  test.each<[string, Partial<ImageConfig>, string]>([
    ['an entry without =', { env: ['HOME'] }, "Env entry 'HOME' is not of the form NAME=VALUE"],
    ['an entry without a name', { env: ['=x'] }, "Env entry '=x' is not of the form NAME=VALUE"],
    ['an empty entry', { env: [''] }, "Env entry '' is not of the form NAME=VALUE"],
    ['NUL in Env', { env: ['A=\0'] }, 'Env contains a NUL character'],
    ['NUL in Cmd', { cmd: ['\0'] }, 'Entrypoint or Cmd contains a NUL character'],
    ['NUL in WorkingDir', { workingDirectory: '/\0' }, 'WorkingDir contains a NUL character'],
  ])('refuses %s (CVE-2026-57231: an entry without a value takes it from the host)', (_, image, reason) => {
    expect(catchError(() => buildFor(image))).toEqual({
      code: 'CONFIG_INVALID',
      message: `Cannot start the image: ${reason}`,
      hint: 'Correct it in the image, or add /exports/config.json.template to it.',
    });
  });
});

test.each([
  [[], ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']],
  [['PATH=/a:/b'], ['/a', '/b']],
  [['PATH=/a', 'PATH=b::/c'], ['/c']],
])('listSearchPath of %j', (env, expected) => {
  expect(listSearchPath({ ...emptyImageConfig, env })).toEqual(expected);
});
