import { describe, expect, test } from 'bun:test';
import {
  checkCommand,
  checkInstalledRoot,
} from '../../../src/containers/render/config/check-runtime-config.ts';
import { listBindSources, parseRuntimeConfig } from '../../../src/containers/render/config/runtime-config.ts';
import { catchError } from '../../support/thrown-error.ts';

const path = '/c/etcd.0/config.json';
const hint =
  'It comes from config.json or config.json.template in /exports of the image, and the --set values.';
const minimal = { process: { args: ['etcd', '--x'] }, root: { path: 'rootfs', readonly: true } };
const parse = (value: unknown) => parseRuntimeConfig(JSON.stringify(value), path);

describe('parseRuntimeConfig', () => {
  test('reads command, root and mounts, with any other keys', () => {
    const mounts = [
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/data', type: 'bind', source: '/var/lib/etcd', options: ['rbind', 'rw'] },
    ];
    expect(parse({ ...minimal, ociVersion: '1.0.0-rc3', mounts, linux: { namespaces: [] } })).toEqual({
      args: ['etcd', '--x'],
      rootPath: 'rootfs',
      rootReadonly: true,
      mounts: [
        { destination: '/proc', type: 'proc', source: 'proc', options: [] },
        { destination: '/data', type: 'bind', source: '/var/lib/etcd', options: ['rbind', 'rw'] },
      ],
      capabilities: [],
      namespaces: [],
      mappedUsers: [],
      devices: [],
      guardedPaths: [],
      hostHooks: [],
      rootPropagation: '',
    });
  });

  test('reads what separates the container from the host', () => {
    const parsed = parse({
      ...minimal,
      process: { args: ['x'], capabilities: { bounding: ['CAP_A', 'CAP_B'], ambient: ['CAP_B', 'CAP_C'] } },
      hooks: {
        prestart: [{ path: '/bin/a' }],
        startContainer: [{ path: '/in/it' }],
        poststop: [{ path: '/bin/b' }],
      },
      linux: {
        namespaces: [{ type: 'mount' }, { type: 'pid', path: '/proc/1/ns/pid' }],
        uidMappings: [{ containerID: 0, hostID: 1000, size: 1 }],
        devices: [{ path: '/dev/fuse', type: 'c' }],
        maskedPaths: ['/proc/kcore'],
        readonlyPaths: ['/proc/sys'],
        rootfsPropagation: 'rslave',
      },
    });
    expect(parsed).toMatchObject({
      capabilities: ['CAP_A', 'CAP_B', 'CAP_C'],
      namespaces: [
        { type: 'mount', path: '' },
        { type: 'pid', path: '/proc/1/ns/pid' },
      ],
      mappedUsers: [1000],
      devices: ['/dev/fuse'],
      guardedPaths: ['/proc/kcore', '/proc/sys'],
      hostHooks: [
        { list: 'prestart', path: '/bin/a' },
        { list: 'poststop', path: '/bin/b' },
      ],
      rootPropagation: 'rslave',
    });
    const old = parse({ ...minimal, process: { args: ['x'], capabilities: ['CAP_A'] } });
    expect(old.capabilities).toEqual(['CAP_A']);
  });

  test('broken JSON, the usual result of a wrong $ADDTL_MOUNTS, is located', () => {
    expect(catchError(() => parseRuntimeConfig('{"mounts": [\n  {}\n  {}\n]}', path))).toEqual({
      code: 'CONFIG_INVALID',
      message: `Invalid json in configuration file: ${path}. line 3, column 3: unexpected '{'`,
      hint,
    });
  });

  test.each<[unknown, string]>([
    [{ process: [] }, 'process must be an object'],
    [{ process: { args: 'etcd' } }, 'process.args must be an array'],
    [{ process: { args: ['a', 1] } }, 'process.args[1] must be a string'],
    [{ process: { args: ['a\0'] } }, 'process.args contains a NUL character'],
    [{ ...minimal, root: 'rootfs' }, 'root must be an object'],
    [{ ...minimal, root: { path: 1 } }, 'root.path must be a string'],
    [{ ...minimal, mounts: {} }, 'mounts must be an array'],
    [{ ...minimal, mounts: ['/x'] }, 'mounts[0] must be an object'],
    [{ ...minimal, mounts: [{ source: 1 }] }, 'mounts[0].source must be a string'],
    [{ ...minimal, mounts: [{ source: '/a\0' }] }, 'mounts[0].source contains a NUL character'],
    [{ ...minimal, mounts: [{ options: 'ro' }] }, 'mounts[0].options must be an array'],
    [{ ...minimal, linux: [] }, 'linux must be an object'],
    [{ ...minimal, linux: { namespaces: ['mount'] } }, 'linux.namespaces[0] must be an object'],
    [{ ...minimal, hooks: { prestart: [{}, { path: 1 }] } }, 'hooks.prestart[1].path must be a string'],
  ])('refuses %j (X-12)', (value, problem) => {
    const message = `Invalid configuration file.  ${problem} (${path})`;
    expect(catchError(() => parse(value))).toEqual({ code: 'CONFIG_INVALID', message, hint });
  });
});

describe('checkCommand', () => {
  test('wants a word in process.args', () => {
    expect(checkCommand(parse(minimal), path)).toBeUndefined();
    const message = `Invalid configuration file.  process.args must name the command to run (${path})`;
    for (const value of [{}, { process: {} }, { process: { args: [] } }]) {
      expect(catchError(() => checkCommand(parse(value), path))).toEqual({
        code: 'CONFIG_INVALID',
        message,
        hint,
      });
    }
  });
});

describe('checkInstalledRoot', () => {
  test('accepts a read-only root at rootfs', () => {
    expect(checkInstalledRoot(parse(minimal), path)).toBeUndefined();
  });

  test.each<[unknown, string]>([
    [{ path: 'rootfs' }, 'Only readonly images are supported: root.readonly must be true'],
    [{ path: 'rootfs', readonly: false }, 'Only readonly images are supported: root.readonly must be true'],
    [{ path: 'rootfs', readonly: 'true' }, 'Only readonly images are supported: root.readonly must be true'],
    [undefined, 'Only readonly images are supported: root.readonly must be true'],
    [{ path: '/', readonly: true }, "Path must be 'rootfs': root.path is '/'"],
    [{ readonly: true }, "Path must be 'rootfs': root.path is ''"],
  ])('refuses %j', (root, problem) => {
    const message = `Invalid configuration file.  ${problem} (${path})`;
    const config = parse({ ...minimal, root });
    expect(catchError(() => checkInstalledRoot(config, path))).toEqual({
      code: 'CONFIG_INVALID',
      message,
      hint,
    });
  });
});

test('listBindSources lists absolute sources of bind mounts once, simplified', () => {
  const mounts = [
    { type: 'bind', source: '/var/lib/etcd' },
    { type: 'proc', source: '/proc' },
    { type: 'none', source: '/b//c/./d/', options: ['rbind'] },
    { source: '/e', options: ['bind', 'ro'] },
    { type: 'bind', source: 'relative' },
    { type: 'bind', source: '/var/lib/x/../etcd' },
    { type: 'bind', source: '/../../f' },
    { type: 'tmpfs', source: 'tmpfs' },
  ];
  expect(listBindSources(parse({ ...minimal, mounts }))).toEqual(['/var/lib/etcd', '/b/c/d', '/e', '/f']);
});
