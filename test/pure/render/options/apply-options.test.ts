import { describe, expect, test } from 'bun:test';
import { formatExactJson, parseExactJson } from '../../../../src/base/exact-json.ts';
import { mergePatch } from '../../../../src/containers/prepare/change-config.ts';
import {
  applyOptions,
  applyToImage,
  type OptionFacts,
} from '../../../../src/containers/render/options/apply-options.ts';
import { parseOptions } from '../../../../src/containers/render/options/parse-options.ts';
import type { ServiceOptions } from '../../../../src/containers/render/options/service-options.ts';
import { emptyImageConfig } from '../../../../src/image/configuration-blob.ts';
import { catchError } from '../../../support/thrown-error.ts';

const facts: OptionFacts = {
  isDefault: false,
  user: undefined,
  nodes: [],
  deniesDevices: true,
  capabilities: ['CAP_CHOWN', 'CAP_KILL', 'CAP_NET_ADMIN'],
};

const config = {
  ociVersion: '1.0.2',
  process: {
    user: { uid: 0, gid: 0, additionalGids: [4], umask: 18 },
    args: ['/bin/server', '--port', '80'],
    env: ['PATH=/bin', 'A=1'],
    capabilities: { bounding: ['CAP_CHOWN', 'CAP_KILL'], effective: ['CAP_CHOWN'], permitted: ['CAP_CHOWN'] },
    rlimits: [{ type: 'RLIMIT_CORE', soft: 0, hard: 0 }],
  },
  root: { path: 'rootfs', readonly: true },
  mounts: [
    { destination: '/tmp', type: 'tmpfs', source: 'tmpfs', options: [] },
    { destination: '/var/lib/web/', type: 'bind', source: '/srv', options: ['bind'] },
  ],
  linux: {
    namespaces: [{ type: 'mount' }, { type: 'network', path: '/run/netns/a' }],
    resources: { memory: { swap: 2 ** 30 }, devices: [{ allow: false }] },
  },
};

function apply(options: ServiceOptions, changed: Partial<OptionFacts> = {}) {
  return applyOptions(config, parseOptions(options), { ...facts, ...changed });
}

test('without options nothing changes', () => {
  expect(apply({})).toEqual(config);
});

test.each<[ServiceOptions, Partial<OptionFacts>, object]>([
  [{ env: ['A=2', 'B=3'] }, {}, { process: { env: ['PATH=/bin', 'A=2', 'B=3'] } }],
  [{ args: ['-v'] }, {}, { process: { args: ['/bin/server', '-v'] } }],
  [{ entrypoint: ['/bin/sh'] }, {}, { process: { args: ['/bin/sh'] } }],
  [{ entrypoint: ['["a", "b"]'], args: ['c'] }, {}, { process: { args: ['a', 'b', 'c'] } }],
  [
    { user: ['web'] },
    { user: { uid: 5, gid: 6, additionalGids: [7] } },
    {
      process: {
        user: { uid: 5, gid: 6, additionalGids: [7], umask: 18 },
        capabilities: { bounding: ['CAP_CHOWN', 'CAP_KILL'] },
      },
    },
  ],
  [
    { user: ['5'], 'cap-add': ['NET_ADMIN'] },
    { user: { uid: 5, gid: 0, additionalGids: [] } },
    {
      process: {
        user: { uid: 5, gid: 0, umask: 18 },
        capabilities: {
          bounding: ['CAP_CHOWN', 'CAP_KILL', 'CAP_NET_ADMIN'],
          effective: ['CAP_NET_ADMIN'],
          permitted: ['CAP_NET_ADMIN'],
          inheritable: ['CAP_NET_ADMIN'],
          ambient: ['CAP_NET_ADMIN'],
        },
      },
    },
  ],
  [
    { 'cap-drop': ['CHOWN'] },
    {},
    { process: { capabilities: { bounding: ['CAP_KILL'], effective: [], permitted: [] } } },
  ],
  [
    { 'cap-drop': ['ALL'], 'cap-add': ['KILL'] },
    {},
    {
      process: { capabilities: { bounding: ['CAP_KILL'], effective: ['CAP_KILL'], permitted: ['CAP_KILL'] } },
    },
  ],
  [
    { 'cap-add': ['ALL'], 'cap-drop': ['KILL'] },
    {},
    { process: { capabilities: { bounding: ['CAP_CHOWN', 'CAP_NET_ADMIN'] } } },
  ],
  [
    { ulimit: ['core=unlimited', 'nofile=1:2'] },
    {},
    {
      process: {
        rlimits: [
          { type: 'RLIMIT_CORE', soft: 2n ** 64n - 1n, hard: 2n ** 64n - 1n },
          { type: 'RLIMIT_NOFILE', soft: 1, hard: 2 },
        ],
      },
    },
  ],
  [{ memory: ['1g'] }, {}, { linux: { resources: { memory: { swap: 2 ** 30, limit: 2 ** 30 } } } }],
  [{ cpus: ['2'] }, {}, { linux: { resources: { cpu: { period: 100_000, quota: 200_000 } } } }],
  [{ 'pids-limit': ['9'] }, {}, { linux: { resources: { pids: { limit: 9 } } } }],
  [{ network: ['host'] }, {}, { linux: { namespaces: [{ type: 'mount' }] } }],
  [{ network: ['none'] }, {}, { linux: { namespaces: [{ type: 'mount' }, { type: 'network' }] } }],
  [
    { device: ['/dev/fuse:rw'] },
    { nodes: [{ type: 'c', major: 10, minor: 229, mode: 0o666, uid: 0, gid: 0 }] },
    {
      linux: {
        devices: [{ path: '/dev/fuse', type: 'c', major: 10, minor: 229, fileMode: 0o666, uid: 0, gid: 0 }],
        resources: {
          devices: [{ allow: false }, { allow: true, type: 'c', major: 10, minor: 229, access: 'rw' }],
        },
      },
    },
  ],
  [
    { volume: ['/srv/x:/data:ro'] },
    {},
    {
      mounts: [
        ...config.mounts,
        {
          ...{ destination: '/data', type: 'bind', source: '/srv/x' },
          options: ['rbind', 'rprivate', 'nosuid', 'nodev', 'ro', 'rro'],
        },
      ],
    },
  ],
  [
    { tmpfs: ['/tmp:size=1m'] },
    { isDefault: true },
    {
      mounts: [
        config.mounts[1],
        {
          ...{ destination: '/tmp', type: 'tmpfs', source: 'tmpfs' },
          options: ['nosuid', 'nodev', 'size=1m', 'mode=1777', 'tmpcopyup'],
        },
      ],
    },
  ],
])('%j', (options, changed, expected) => {
  expect(apply(options, changed)).toMatchObject(expected);
});

test('a folder in memory of the default configuration gives way to a mount above it', () => {
  const below = { destination: '/run/web', type: 'tmpfs', source: 'tmpfs', options: [] };
  const own = { ...config, mounts: [...config.mounts, below] };
  const add = (isDefault: boolean) =>
    applyOptions(own, parseOptions({ volume: ['/srv/run:/run'] }), { ...facts, isDefault }).mounts;
  expect(add(true)).toMatchObject([...config.mounts, { destination: '/run', source: '/srv/run' }]);
  expect(catchError(() => add(false)).message).toContain('has a mount below it at /run/web');
});

test('a user without root loses the capabilities that only root holds', () => {
  const { process } = apply({ user: ['5'] }, { user: { uid: 5, gid: 5, additionalGids: [] } });
  expect(process).not.toHaveProperty('capabilities.effective');
});

test('crun needs no rule for a device, unless the image has rules', () => {
  const nodes = [{ type: 'c', major: 10, minor: 229, mode: 0o666, uid: 0, gid: 0 }] as const;
  const own = { ...config, linux: {} };
  const changed = applyOptions(own, parseOptions({ device: ['/dev/fuse'] }), {
    ...{ ...facts, nodes, deniesDevices: false },
  });
  expect(changed.linux).not.toHaveProperty('resources');
});

describe('contradicts the configuration', () => {
  test.each<[ServiceOptions, string]>([
    [
      { volume: ['/x:/var/lib/web'] },
      "--volume '/x:/var/lib/web': the configuration of the image mounts /var/lib/web itself",
    ],
    [
      { volume: ['/x:/var/lib'] },
      "--volume '/x:/var/lib': the configuration of the image has a mount below it at /var/lib/web, which it would hide",
    ],
    [{ tmpfs: ['/tmp'] }, "--tmpfs '/tmp': the configuration of the image mounts /tmp itself"],
    [
      { memory: ['2g'] },
      '--memory: 2147483648 bytes are more than the image allows for memory and swap together: 1073741824 (linux.resources.memory.swap)',
    ],
  ])('%j', (options, message) => {
    expect(catchError(() => apply(options))).toMatchObject({ code: 'BAD_VALUE', message });
  });
});

test.each([
  [{}, {}, ['e', 'c'], false],
  [{ args: ['x'] }, {}, ['e', 'x'], false],
  [{ args: ['x'] }, { hasRunScript: true }, ['run.sh', 'x'], false],
  [{ entrypoint: ['n'] }, { hasRunScript: true }, ['n'], false],
  [{ entrypoint: ['n'], args: ['x'] }, {}, ['n', 'x'], false],
  [{}, { hasRunScript: true }, ['e', 'c'], true],
])('the default command with %j and %j', (changes, source, words, hasRunScript) => {
  const image = { ...emptyImageConfig, entrypoint: ['e'], cmd: ['c'] };
  const changed = applyToImage({ imageConfig: image, hasRunScript: false, ...source }, changes);
  expect([...changed.imageConfig.entrypoint, ...changed.imageConfig.cmd]).toEqual(words);
  expect(changed.hasRunScript).toBe(hasRunScript);
});

test('numbers of 64 bits keep their digits', () => {
  const text = '{"a":18446744073709551615,"b":-9007199254740993,"c":1.5,"d":1e400}';
  const parsed = parseExactJson(text, 1000, (problem) => new Error(problem));
  expect(JSON.parse(formatExactJson({ ...parsed, d: 0 }))).toEqual(JSON.parse(text.replace('1e400', '0')));
  expect(formatExactJson(parsed)).toContain('"a": 18446744073709551615,\n    "b": -9007199254740993,');
});

/** The examples of RFC 7396, Appendix A. */
test.each([
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  [{ a: 'b' }, { a: null }, {}],
  [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
  [
    ['a', 'b'],
    ['c', 'd'],
    ['c', 'd'],
  ],
  [{ a: 'b' }, ['c'], ['c']],
  [{ a: 'foo' }, null, null],
  [{ a: 'foo' }, 'bar', 'bar'],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [[1, 2], { a: 'b', c: null }, { a: 'b' }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  [{}, JSON.parse('{"__proto__": {"polluted": 1}}'), JSON.parse('{"__proto__": {"polluted": 1}}')],
])('%j patched with %j', (target, patch, result) => {
  expect(mergePatch(target, patch)).toEqual(result);
});
