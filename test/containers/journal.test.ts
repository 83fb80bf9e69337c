import { expect, test } from 'bun:test';
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { buildInstallJournal } from '../../src/containers/install/install-journal.ts';
import {
  findJournal,
  listJournals,
  removeJournal,
  removeTrace,
  replaceJournal,
  writeJournal,
} from '../../src/containers/journal.ts';
import { formatJournal, type Journal, parseJournal } from '../../src/containers/journal-format.ts';
import { noNewVolumes } from '../../src/containers/render/config/image-volumes.ts';
import {
  buildBuildingJournal,
  buildSettledJournal,
  buildSwitchingJournal,
  type Switch,
} from '../../src/containers/switch/switch-journal.ts';
import { buildUninstallJournal } from '../../src/containers/uninstall/uninstall-journal.ts';
import { buildPurge } from '../../src/containers/volumes/remove-volumes.ts';
import { createSandbox } from '../support/sandbox.ts';
import { catchError } from '../support/thrown-error.ts';

const install = buildInstallJournal('etcd', 0, noNewVolumes);
const running = ['etcd.service', 'flannel.service'];
const volumes = [buildPurge('etcd', { root: '/var/lib/etcd/volumes', isParentOwn: true })];
const subject = {
  ...{ name: 'etcd', hasService: true, runtime: '/usr/bin/runc', wasActive: true },
  ...{ volumes, ownFolders: ['/var/lib/etcd'] },
};
const member = { container: 'etcd', from: 0, to: 1, isEnabled: true, hadPrevious: false } as const;
const update: Switch = { operation: 'update', members: [member] };
const rollback: Switch = { operation: 'rollback', members: [{ ...member, from: 1, to: 0 }] };
const group: Switch = { operation: 'update', members: [member, { ...member, container: 'web' }] };

test.each<[string, Journal]>([
  ['install', install],
  ['update that builds', buildBuildingJournal(update)],
  ['update that switches', buildSwitchingJournal(update, running)],
  ['update that is done', buildSettledJournal(update)],
  ['rollback', buildSwitchingJournal(rollback, [])],
  ['uninstall', buildUninstallJournal(subject, running)],
  ['uninstall without info', buildUninstallJournal({ ...subject, hasService: false, runtime: null }, [])],
])('%s survives the disk', async (_, journal) => {
  await using sandbox = await createSandbox();
  await writeJournal(sandbox.host, journal);
  expect(await findJournal(sandbox.host, 'etcd')).toEqual(journal);
  expect(await listJournals(sandbox.host)).toEqual(['etcd']);
  expect((await stat(`${sandbox.locations.state}/journal/etcd.json`)).mode & 0o777).toBe(0o600);
  await removeJournal(sandbox.host, journal);
  expect(await findJournal(sandbox.host, 'etcd')).toBeUndefined();
  expect(await listJournals(sandbox.host)).toEqual([]);
});

test('a machine that never installed anything has none', async () => {
  await using sandbox = await createSandbox();
  expect(await listJournals(sandbox.host)).toEqual([]);
  expect(await findJournal(sandbox.host, 'etcd')).toBeUndefined();
  expect(await readdir(sandbox.folder.path)).toEqual(['containers']);
});

test('an incomplete journal under its temporary name is ignored', async () => {
  await using sandbox = await createSandbox();
  await mkdir(`${sandbox.locations.state}/journal`, { recursive: true });
  await writeFile(`${sandbox.locations.state}/journal/.etcd.json.new`, '{"version":');
  expect(await listJournals(sandbox.host)).toEqual([]);
});

test('a group has one journal, to which those of its other members lead', async () => {
  await using sandbox = await createSandbox();
  const journal = buildBuildingJournal(group);
  await writeJournal(sandbox.host, journal);
  for (const name of ['etcd', 'web']) expect(await findJournal(sandbox.host, name)).toEqual(journal);
  const next = buildSwitchingJournal(group, running);
  await replaceJournal(sandbox.host, journal, next);
  expect(await findJournal(sandbox.host, 'web')).toEqual(next);
  await removeJournal(sandbox.host, next);
  expect(await listJournals(sandbox.host)).toEqual([]);
});

test('the end of the first journal of a group is the end for all', async () => {
  await using sandbox = await createSandbox();
  await writeJournal(sandbox.host, buildSwitchingJournal(group, running));
  await rm(`${sandbox.locations.state}/journal/etcd.json`);
  expect(await findJournal(sandbox.host, 'web')).toBeUndefined();
  // Another operation of the first container is not about the other one.
  await writeJournal(sandbox.host, install);
  expect(await findJournal(sandbox.host, 'web')).toBeUndefined();
  await removeTrace(sandbox.host, 'web');
  expect(await listJournals(sandbox.host)).toEqual(['etcd']);
});

test('the end of a group leaves the journal of a member that has one of its own', async () => {
  await using sandbox = await createSandbox();
  const journal = buildBuildingJournal(group);
  await writeJournal(sandbox.host, journal);
  const own = buildInstallJournal('web', 0, noNewVolumes);
  await writeJournal(sandbox.host, own);
  await removeJournal(sandbox.host, journal);
  expect(await findJournal(sandbox.host, 'web')).toEqual(own);
});

test('the format on the disk', () => {
  expect(JSON.parse(formatJournal(install))).toEqual({
    version: 2,
    operation: 'install',
    containers: ['etcd'],
    commit: { link: 0 },
    back: [
      { step: 'link', container: 'etcd', from: 0, to: null },
      { step: 'deactivate', container: 'etcd', number: 0 },
      {
        step: 'host-files',
        container: 'etcd',
        from: [
          { number: 0, state: 'final' },
          { number: 0, state: 'old' },
        ],
        to: null,
      },
      { step: 'set-aside', container: 'etcd', number: 0, hasPrevious: false },
      {
        step: 'remove',
        container: 'etcd',
        places: [
          { number: 0, state: 'old' },
          { number: 0, state: 'new' },
        ],
      },
    ],
    rest: [{ step: 'activate', container: 'etcd', number: 0 }],
  });
});

const unknown = 'its operation is unknown to this atomic';

/** An install with another list of steps for its way back. */
function withBack(back: unknown): string {
  return JSON.stringify({ version: 2, ...install, back });
}

test.each([
  ['', 'line 1, column 1: unexpected end of the file'],
  ['[]', 'the document must be an object'],
  [
    '{"version":1,"operation":"install","container":"etcd","deployment":0}',
    'format 1 is unknown, this atomic reads format 2',
  ],
  ['{"version":3}', 'format 3 is unknown, this atomic reads format 2'],
  [
    JSON.stringify({ version: 2, ...install, containers: ['net', 'etcd'] }),
    'it belongs to another container',
  ],
  ['{"version":2,"container":"net","memberOf":"etcd"}', 'it belongs to another container'],
  ['{"version":2,"container":"etcd","memberOf":"../etcd"}', 'it belongs to another container'],
  [JSON.stringify({ version: 2, ...install, operation: 'upgrade' }), unknown],
  [JSON.stringify({ version: 2, ...install, containers: [] }), 'it belongs to another container'],
  [JSON.stringify({ version: 2, ...install, commit: { link: 2 } }), unknown],
  [JSON.stringify({ version: 2, ...install, commit: { phase: 'done' } }), unknown],
  [withBack(undefined), unknown],
  [withBack([{ step: 'erase', container: 'etcd' }]), unknown],
  [withBack([{ step: 'toString' }]), unknown],
  [withBack([{ step: 'forget' }]), unknown],
  [withBack([{ step: 'forget', container: 'net' }]), unknown],
  [withBack([{ step: 'remove', container: 'etcd', places: [{ number: 0, state: '../../etc' }] }]), unknown],
  [withBack([{ step: 'link', container: 'etcd', from: null, to: 7 }]), unknown],
])('%p is refused', (text, problem) => {
  expect(catchError(() => parseJournal(text, '/state/journal/etcd.json'))).toMatchObject({
    code: 'JOURNAL_UNREADABLE',
    message: `read /state/journal/etcd.json: ${problem}`,
  });
});
