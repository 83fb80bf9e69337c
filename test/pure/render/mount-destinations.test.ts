import { describe, expect, test } from 'bun:test';
import {
  buildDefaultMounts,
  hostNetworkFiles,
} from '../../../src/containers/render/config/default-mounts.ts';
import {
  checkDestinations,
  type SourceKind,
} from '../../../src/containers/render/config/mount-destinations.ts';
import {
  parseRuntimeConfig,
  type RuntimeConfig,
} from '../../../src/containers/render/config/runtime-config.ts';
import type { ImageEntry } from '../../../src/image/image.ts';
import { findError } from '../../support/thrown-error.ts';

/** Path -> `/` for a folder, `-` for a file, else the target of a symlink. Parents are folders. */
type Image = Readonly<Record<string, string>>;

interface Mount {
  readonly destination: string;
  readonly type?: string;
  readonly source?: string;
  readonly options?: readonly string[];
}

function buildConfig(mounts: readonly Mount[], linux: object = {}): RuntimeConfig {
  return parseRuntimeConfig(JSON.stringify({ process: { args: ['x'] }, mounts, linux }), 'c.json');
}

function check(image: Image, config: RuntimeConfig): string | undefined {
  const look = (path: string): ImageEntry | undefined => {
    const entry = image[path];
    if (entry === undefined)
      return Object.keys(image).some((key) => key.startsWith(`${path}/`)) ? { kind: 'directory' } : undefined;
    if (entry === '/') return { kind: 'directory' };
    return entry === '-' ? { kind: 'file' } : { kind: 'symlink', target: entry };
  };
  const kind = (source: string): SourceKind =>
    source.endsWith('.file') || hostNetworkFiles.includes(source)
      ? 'file'
      : source.endsWith('.none')
        ? 'missing'
        : 'directory';
  const sources = new Map(config.mounts.map((mount) => [mount, kind(mount.source)]));
  const error = findError(() => checkDestinations(config, look, sources, 'c.json'));
  if (error === undefined) return undefined;
  expect(error.code).toBe('CONFIG_INVALID');
  return /^Invalid configuration file\. {2}(.*) \(c\.json\)$/.exec(error.message)?.[1];
}

const defaults = buildConfig(
  buildDefaultMounts({ volumes: [], runFolders: [], hostFiles: hostNetworkFiles }),
);
const dev: Mount = { destination: '/dev', type: 'tmpfs', source: 'tmpfs' };
const bind = (destination: string, source = '/srv/data'): Mount => ({
  destination,
  source,
  type: 'bind',
  options: ['rbind'],
});

describe('the default mounts', () => {
  test.each<[string, Image]>([
    ['an empty image', {}],
    [
      'a real image',
      {
        '/dev/pts': '/',
        '/proc': '/',
        '/sys': '/',
        '/run': '/',
        '/tmp': '/',
        '/var/tmp': '/',
        '/etc/hosts': '-',
      },
    ],
    [
      'what is below a mount',
      { '/dev/null': '/etc/passwd', '/dev/pts': '/etc', '/proc/x': '/etc', '/sys/fs': '/etc' },
    ],
    ['the layout of Buildroot', { '/etc/resolv.conf': '../tmp/resolv.conf', '/var/tmp': '../tmp' }],
    ['resolv.conf of systemd', { '/etc/resolv.conf': '../run/systemd/resolve/stub-resolv.conf' }],
    [
      'resolv.conf of resolvconf',
      { '/etc/resolv.conf': '/etc/resolvconf/run/resolv.conf', '/etc/resolvconf/run': '/run/resolvconf' },
    ],
  ])('%s: accepted', (_, image) => {
    expect(check(image, defaults)).toBeUndefined();
  });

  test.each<[Image, string]>([
    [
      { '/dev': '/etc/profile.d' },
      "mounts[1].destination '/dev': /dev is a symlink to /etc/profile.d in the image",
    ],
    [
      { '/dev': '../../etc/profile.d' },
      "mounts[1].destination '/dev': /dev is a symlink to ../../etc/profile.d in the image",
    ],
    [
      { '/dev': 'other', '/other': '/' },
      "mounts[1].destination '/dev': /dev is a symlink to other in the image",
    ],
    [{ '/dev': '-' }, "mounts[1].destination '/dev' is not a folder in the image"],
    [{ '/proc': 'sys' }, "mounts[0].destination '/proc': /proc is a symlink to sys in the image"],
    [
      { '/run': '/etc/cron.d' },
      "mounts[7].destination '/run': /run is a symlink to /etc/cron.d in the image",
    ],
    [{ '/tmp': '-' }, "mounts[8].destination '/tmp' is not a folder in the image"],
    [{ '/var': '/etc' }, "mounts[9].destination '/var/cache': /var is a symlink to /etc in the image"],
    [{ '/var': '-' }, "mounts[9].destination '/var/cache': /var is not a folder in the image"],
    [
      { '/etc/resolv.conf': '/etc/shadow' },
      "mounts[12].destination '/etc/resolv.conf': /etc/resolv.conf is a symlink to /etc/shadow in the image",
    ],
    [
      { '/etc/hosts': '/' },
      "mounts[13].destination '/etc/hosts' is a folder in the image, and the source is a file",
    ],
    [
      { '/etc': 'usr/etc' },
      "mounts[12].destination '/etc/resolv.conf': /etc is a symlink to usr/etc in the image",
    ],
    // What the image has in /run is copied into the new filesystem.
    [
      { '/etc/resolv.conf': '/run/a/resolv.conf', '/run/a': '/etc' },
      "mounts[12].destination '/etc/resolv.conf': /run/a is a symlink to /etc in the image",
    ],
  ])('%j: refused', (image, problem) => {
    expect(check(image, defaults)).toBe(problem);
  });
});

describe('mounts of a template', () => {
  test.each<[string, Image, readonly Mount[]]>([
    ['merged /usr', { '/lib': 'usr/lib' }, [dev, bind('/lib/modules')]],
    ['merged bin and sbin', { '/sbin': 'usr/sbin', '/usr/sbin': 'bin' }, [dev, bind('/sbin/tools')]],
    ['/var/run', { '/var/run': '/run' }, [dev, bind('/var/run'), bind('/var/run/x')]],
    ['/var/run, relative', { '/var/run': '../run' }, [dev, bind('/var/run/dbus')]],
    ['below an earlier mount', { '/data/x': '/etc' }, [dev, bind('/data'), bind('/data/x/y')]],
    ['below an earlier mount that the image does not have', {}, [dev, bind('/a/b'), bind('/a/b/c')]],
    ['a folder for a source that is not there yet', { '/data': '/' }, [dev, bind('/data', '/srv/x.none')]],
    ['a file on a file', { '/etc/app.conf': '-' }, [dev, bind('/etc/app.conf', '/etc/app.file')]],
    ['a relative destination', {}, [dev, bind('data//x/.')]],
    ['the devices of the host', { '/dev/null': '/etc/x', '/dev/console': '/' }, [bind('/dev', '/dev')]],
    [
      'devices that a build left',
      {
        '/dev/null': '-',
        '/dev/console': '-',
        '/dev/fd': '/proc/self/fd',
        '/dev/stdout': 'fd/1',
        '/dev/ptmx': 'pts/ptmx',
      },
      [],
    ],
  ])('%s: accepted', (_, image, mounts) => {
    expect(check(image, buildConfig(mounts))).toBeUndefined();
  });

  test.each<[Image, readonly Mount[], string]>([
    [
      { '/data': '/etc' },
      [dev, bind('/data')],
      "mounts[1].destination '/data': /data is a symlink to /etc in the image",
    ],
    [
      { '/a/b': '../c' },
      [dev, bind('/a/b/d/e')],
      "mounts[1].destination '/a/b/d/e': /a/b is a symlink to ../c in the image",
    ],
    [
      { '/var/run': '/etc' },
      [dev, bind('/var/run/x')],
      "mounts[1].destination '/var/run/x': /var/run is a symlink to /etc in the image",
    ],
    [
      { '/lib': 'x/../usr/lib' },
      [dev, bind('/lib/modules')],
      "mounts[1].destination '/lib/modules': /lib is a symlink to x/../usr/lib in the image",
    ],
    [
      { '/usr/lib': '/usr/lib64', '/usr/lib64': '/usr/lib' },
      [dev, bind('/usr/lib/x')],
      "mounts[1].destination '/usr/lib/x': /usr/lib is a symlink to /usr/lib64 in the image",
    ],
    [
      { '/data/x': '/etc' },
      [dev, bind('/data/x'), bind('/data')],
      "mounts[1].destination '/data/x': /data/x is a symlink to /etc in the image",
    ],
    [{ '/data': '-' }, [dev, bind('/data')], "mounts[1].destination '/data' is not a folder in the image"],
    [
      { '/data': '-' },
      [dev, bind('/data/x')],
      "mounts[1].destination '/data/x': /data is not a folder in the image",
    ],
    [
      { '/conf': '/' },
      [dev, bind('/conf', '/etc/app.file')],
      "mounts[1].destination '/conf' is a folder in the image, and the source is a file",
    ],
    [{}, [dev, bind('/a/../b')], "mounts[1].destination '/a/../b': the path must not contain .."],
    [{}, [dev, bind('/')], "mounts[1].destination '/' is the root of the container"],
    [{}, [{ destination: './/' }], "mounts[0].destination './/' is the root of the container"],
    [{ '/dev': '/etc' }, [], "The folder for devices '/dev': /dev is a symlink to /etc in the image"],
    [
      { '/dev/console': '/etc/passwd' },
      [],
      "The device '/dev/console': /dev/console is a symlink to /etc/passwd in the image",
    ],
    [
      { '/dev/null': '../etc/passwd' },
      [{ ...dev, options: ['tmpcopyup'] }],
      "The device '/dev/null': /dev/null is a symlink to ../etc/passwd in the image",
    ],
    [{ '/dev/zero': '/' }, [], '/dev/zero is a folder in the image'],
    [{ '/dev/ptmx': '/etc/passwd' }, [], '/dev/ptmx is a symlink to /etc/passwd in the image'],
    [{ '/dev/stdin': 'fd/../../etc' }, [], '/dev/stdin is a symlink to fd/../../etc in the image'],
    [
      { '/dev/pts': '/etc' },
      [{ destination: '/dev/pts', type: 'devpts' }],
      "mounts[0].destination '/dev/pts': /dev/pts is a symlink to /etc in the image",
    ],
  ])('%j, %j: refused', (image, mounts, problem) => {
    expect(check(image, buildConfig(mounts))).toBe(problem);
  });

  test('a circle of usual links ends', () => {
    const image = { '/lib': '/usr/lib', '/usr/lib64': '/usr/lib', '/usr/sbin': '/usr/bin' };
    expect(check({ ...image, '/usr/lib': '/lib' }, buildConfig([dev, bind('/lib/x')]))).toBe(
      "mounts[1].destination '/lib/x': /usr/lib is a symlink to /lib in the image",
    );
  });
});

describe('other places that the runtime goes to', () => {
  test.each<[object, string]>([
    [
      { maskedPaths: ['/cfg/secret'] },
      "linux.maskedPaths or linux.readonlyPaths '/cfg/secret': /cfg is a symlink to /etc in the image",
    ],
    [
      { readonlyPaths: ['/cfg'] },
      "linux.maskedPaths or linux.readonlyPaths '/cfg': /cfg is a symlink to /etc in the image",
    ],
    [
      { devices: [{ path: '/cfg/fuse' }] },
      "linux.devices '/cfg/fuse': /cfg is a symlink to /etc in the image",
    ],
    [{ devices: [{ path: '/usr' }] }, "linux.devices '/usr' is a folder in the image"],
  ])('%j', (linux, problem) => {
    expect(check({ '/cfg': '/etc', '/usr': '/' }, buildConfig([dev], linux))).toBe(problem);
  });

  test('paths of /proc are those of the mount', () => {
    const config = buildConfig([dev, { destination: '/proc', type: 'proc' }], {
      maskedPaths: ['/proc/kcore', '/proc/acpi'],
      devices: [{ path: '/dev/fuse' }],
    });
    expect(check({ '/proc/kcore': '/etc/passwd' }, config)).toBeUndefined();
  });
});
