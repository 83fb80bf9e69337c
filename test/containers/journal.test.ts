import { expect, test } from 'bun:test';
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import {
  findJournal,
  formatJournal,
  type Journal,
  listJournals,
  parseJournal,
  removeJournal,
  writeJournal,
} from '../../src/containers/journal.ts';
import { createSandbox } from '../support/sandbox.ts';
import { catchError } from '../support/thrown-error.ts';

const install: Journal = { operation: 'install', container: 'etcd', deployment: 0 };
const uninstall: Journal = {
  operation: 'uninstall',
  container: 'etcd',
  hasService: true,
  runtime: '/usr/bin/runc',
  wasActive: true,
  running: ['etcd.service', 'flannel.service'],
};

const update: Journal = {
  ...{ operation: 'update', container: 'etcd', from: 0, to: 1, phase: 'switching' },
  ...{ running: ['etcd.service', 'flannel.service'], isEnabled: true, hadPrevious: false },
};

test.each<[string, Journal]>([
  ['install', install],
  ['update', update],
  ['rollback', { ...update, operation: 'rollback', from: 1, to: 0, running: [] }],
  ['uninstall', uninstall],
  ['uninstall of an older version', { ...uninstall, wasActive: undefined, running: [] }],
  ['uninstall without info', { ...uninstall, hasService: false, runtime: undefined }],
])('%s survives the disk', async (_, journal) => {
  await using sandbox = await createSandbox();
  await writeJournal(sandbox.host, journal);
  expect(await findJournal(sandbox.host, 'etcd')).toEqual(journal);
  expect(await listJournals(sandbox.host)).toEqual(['etcd']);
  expect((await stat(`${sandbox.locations.state}/journal/etcd.json`)).mode & 0o777).toBe(0o600);
  await removeJournal(sandbox.host, 'etcd');
  expect(await findJournal(sandbox.host, 'etcd')).toBeUndefined();
  expect(await listJournals(sandbox.host)).toEqual([]);
});

test('a machine that never installed anything has none', async () => {
  await using sandbox = await createSandbox();
  expect(await listJournals(sandbox.host)).toEqual([]);
  expect(await findJournal(sandbox.host, 'etcd')).toBeUndefined();
  expect(await readdir(sandbox.folder.path)).toEqual(['containers']);
});

test('half a journal that a crash left under its temporary name is none', async () => {
  await using sandbox = await createSandbox();
  await mkdir(`${sandbox.locations.state}/journal`, { recursive: true });
  await writeFile(`${sandbox.locations.state}/journal/.etcd.json.new`, '{"version":');
  expect(await listJournals(sandbox.host)).toEqual([]);
});

test('the format on the disk', () => {
  expect(formatJournal(install)).toBe(
    '{\n  "version": 1,\n  "operation": "install",\n  "container": "etcd",\n  "deployment": 0\n}\n',
  );
});

test.each([
  ['', 'line 1, column 1: unexpected end of the file'],
  ['[]', 'the document must be an object'],
  [
    '{"version":2,"operation":"install","container":"etcd"}',
    'format 2 is unknown, this atomic reads format 1',
  ],
  ['{"version":1,"operation":"install","container":"net","deployment":0}', 'it belongs to another container'],
  ['{"version":1,"operation":"install","container":"etcd"}', 'its operation is unknown to this atomic'],
  ['{"version":1,"operation":"update","container":"etcd"}', 'its operation is unknown to this atomic'],
])('%p is refused', (text, problem) => {
  expect(catchError(() => parseJournal(text, '/state/journal/etcd.json'))).toMatchObject({
    code: 'JOURNAL_UNREADABLE',
    message: `read /state/journal/etcd.json: ${problem}`,
  });
});
