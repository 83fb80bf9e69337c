import { expect, test } from 'bun:test';
import {
  buildRepairJson,
  buildUnreadableJson,
  buildVerifiedJson,
} from '../../src/commands/images/verify-json.ts';
import {
  formatRemote,
  formatRemountHint,
  formatRepair,
  formatRestartHint,
  formatUnreadable,
  formatVerified,
} from '../../src/commands/images/verify-text.ts';
import { toChecksum } from '../../src/image/checksum.ts';
import { toDigest } from '../../src/image/digest.ts';
import type {
  ImageRepair,
  RemoteStatus,
  StoreProblem,
  VerifiedImage,
} from '../../src/image/verified-image.ts';

const layer = toDigest(`sha256:${'a'.repeat(64)}`);
const sound: VerifiedImage = {
  reference: 'reg/etcd:latest',
  id: 'b'.repeat(64),
  objects: 1234,
  bytes: 45_000_000,
  problems: [],
  deployments: [{ container: 'etcd', number: 0, files: 1000, problems: [], damagedLinks: [] }],
};
const file = toChecksum('c'.repeat(64));
const damaged: VerifiedImage = {
  ...sound,
  problems: [
    {
      kind: 'file',
      name: file,
      state: 'damaged',
      reason: 'its checksum is dd',
      paths: ['/usr/bin/etcd', '/usr/bin/\u001b[2Jetcd'],
      layers: [layer],
      isInRoot: true,
    },
    {
      kind: 'dirmeta',
      name: file,
      state: 'missing',
      reason: 'it is not there',
      paths: ['/1', '/2', '/3', '/4', '/5', '/6', '/7', '/8', '/9', '/a'],
      layers: [layer],
      isInRoot: false,
    },
    {
      kind: 'ref',
      name: 'ociimage/x',
      state: 'missing',
      reason: 'it is not there',
      paths: [],
      layers: [],
      isInRoot: false,
    },
  ],
  deployments: [
    {
      container: 'etcd',
      number: 1,
      files: 1000,
      problems: [
        { path: '/etc/conf', state: 'changed', reason: 'it is not the file of the image' },
        { path: '/note', state: 'additional', reason: 'it is not in the image' },
      ],
      damagedLinks: [file],
    },
    { container: 'copy', number: 0, files: 1000, problems: [], damagedLinks: [] },
  ],
};
const problems = [
  `reg/etcd:latest: /usr/bin/etcd, /usr/bin/etcd are damaged: its checksum is dd (file ${file}; layer ${layer}; used by etcd)`,
  `reg/etcd:latest: /1, /2, /3, /4, /5, /6, /7, /8 and 2 more are missing: it is not there (dirmeta ${file}; layer ${layer})`,
  'reg/etcd:latest: ref ociimage/x is missing: it is not there (configuration)',
  'etcd.1: /etc/conf is changed: it is not the file of the image',
  'etcd.1: /note is additional: it is not in the image',
];

test('a sound image is one line', () => {
  expect(formatVerified(sound)).toBe('reg/etcd:latest: 1234 objects, 45.00 MB, sound\n');
  expect(formatVerified({ ...sound, objects: 1 })).toBe('reg/etcd:latest: 1 object, 45.00 MB, sound\n');
});

test('a damaged image: a line for each problem, and a summary', () => {
  expect(formatVerified(damaged).split('\n')).toEqual([
    ...problems,
    'reg/etcd:latest: 1234 objects, 45.00 MB, 1 damaged, 2 missing, 1 wrong in containers',
    '',
  ]);
});

const repair: ImageRepair = {
  before: damaged,
  after: sound,
  fetchedLayers: [layer],
  takenFromDeployments: 2,
  replacedFiles: new Map([['etcd', 3]]),
  failure: undefined,
};

test('a repair: the problems before, the changes, the state after', () => {
  expect(formatRepair(repair).split('\n')).toEqual([
    ...problems,
    `reg/etcd:latest: repaired: layers fetched: ${layer}; objects taken from containers: 2; files replaced: 3 in etcd`,
    'reg/etcd:latest: 1234 objects, 45.00 MB, sound',
    '',
  ]);
  expect(formatRestartHint([repair])).toBe(
    'Running services use the old files until they are restarted: systemctl try-restart etcd\n',
  );
});

test('a failed repair: the reason, the containers concerned, the remaining problems', () => {
  const failed = { ...repair, after: damaged, replacedFiles: new Map(), failure: 'no such host' };
  expect(formatRepair(failed).split('\n')).toEqual([
    ...problems,
    'reg/etcd:latest: not repaired: no such host; containers affected: etcd',
    ...problems.map((line) => `still: ${line}`),
    'reg/etcd:latest: 1234 objects, 45.00 MB, 1 damaged, 2 missing, 1 wrong in containers',
    '',
  ]);
  expect(formatRestartHint([failed])).toBe('');
});

test('a lost part of the tree concerns every container: none can be compared', () => {
  const problem = { ...damaged.problems[0], kind: 'dirtree', paths: [] } as StoreProblem;
  const lost = { ...damaged, problems: [problem] };
  expect(formatVerified(lost)).toContain('; used by etcd, copy)');
  const failed = { ...repair, before: lost, after: lost, failure: 'no such host' };
  expect(formatRepair(failed)).toContain('; containers affected: etcd, copy\n');
});

test('nothing to repair', () => {
  const untouched = { ...repair, before: sound, fetchedLayers: [], takenFromDeployments: 0 };
  expect(formatRepair(untouched)).toBe(formatVerified(sound));
  expect(buildRepairJson(untouched)).toEqual({ ...buildVerifiedJson(sound), repair: null });
});

const statuses: [RemoteStatus, string][] = [
  [{ kind: 'up-to-date' }, 'x: up to date\n'],
  [{ kind: 'newer', digest: layer }, `x: newer available: ${layer}\n`],
  [{ kind: 'gone' }, 'x: gone\n'],
  [{ kind: 'not-from-registry' }, 'x: not from a registry\n'],
  [{ kind: 'unknown', reason: 'no such host' }, 'x: could not be asked: no such host\n'],
];
test.each(statuses)('the registry says %j', (status, line) => {
  expect(formatRemote('x', status)).toBe(line);
});

test('a container whose image is unknown: the problem and the remedy', () => {
  const problem = { path: 'info', state: 'changed', reason: 'it is empty' } as const;
  const unreadable = {
    ...{ container: 'etcd', number: 0, files: 0, problems: [problem], damagedLinks: [] },
    remedy: 'do \u001bthis',
  };
  expect(formatUnreadable([unreadable])).toBe(
    'etcd.0: info is changed: it is empty\netcd.0: its image is unknown: do this\n',
  );
  expect(formatUnreadable([])).toBe('');
  expect(buildUnreadableJson(unreadable)).toEqual({
    container: 'etcd',
    deployment: 0,
    files: 0,
    problems: [problem],
    damaged_links: [],
    remedy: 'do \u001bthis',
  });
});

test('mounts that show old files: commands that can be pasted', () => {
  expect(formatRemountHint([])).toBe('');
  expect(formatRemountHint([{ name: 'reg/etcd:latest', directory: '/mnt/a b' }])).toBe(
    "/mnt/a b shows the old files until it is mounted again: atomic umount '/mnt/a b' && atomic mount reg/etcd:latest '/mnt/a b'\n",
  );
});
