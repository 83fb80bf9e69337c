/** The state of a container that an update keeps, from every point at which a crash can interrupt its steps. */
import { expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { chmod, chown } from 'node:fs/promises';
import { dirname } from 'node:path';
import {
  copyState,
  dropStaleState,
  hasKeptState,
  restoreState,
} from '../../src/containers/state/kept-state.ts';
import { planStateCopy } from '../../src/containers/state/plan-state-copy.ts';
import { plainRecord as record } from '../support/plain-record.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';

/** Paths below the sandbox -> text of the file there. */
type Files = Readonly<Record<string, string>>;

const [live, old, next] = ['var/web', 'web.0/state', 'web.1/state'];

async function openState(files: Files): Promise<Sandbox & { readonly state: string }> {
  const sandbox = await createSandbox();
  const { checkouts } = sandbox.locations;
  for (const folder of [`${checkouts}/web.0`, `${checkouts}/web.1`, sandbox.folder.join('var')]) {
    mkdirSync(folder, { recursive: true });
  }
  for (const [name, text] of Object.entries(files)) {
    const path = `${name.startsWith('var/') ? sandbox.folder.path : checkouts}/${name}`;
    mkdirSync(dirname(path), { recursive: true });
    if (text !== '') writeFileSync(path, text);
  }
  return { ...sandbox, state: sandbox.folder.join(live) };
}

function readFiles({ folder, locations }: Sandbox): Files {
  const found: Record<string, string> = {};
  const look = (root: string, name: string) => {
    const path = `${root}/${name}`;
    if (!existsSync(path)) return;
    const names = statSync(path).isDirectory() ? readdirSync(path) : undefined;
    if (names === undefined) found[name] = readFileSync(path, 'utf8');
    else for (const inner of names) look(root, `${name}/${inner}`);
    if (names?.length === 0) found[name] = 'empty';
  };
  look(folder.path, live);
  for (const name of ['web.0', 'web.1']) {
    for (const inner of readdirSync(`${locations.checkouts}/${name}`))
      look(locations.checkouts, `${name}/${inner}`);
  }
  return found;
}

test('a copy has the owners, modes, links and times of the folder', async () => {
  await using sandbox = await openState({ [`${live}/db`]: 'one' });
  const { state, host, locations } = sandbox;
  await chmod(`${state}/db`, 0o640);
  await chown(state, 1234, 1234);
  symlinkSync('db', `${state}/current`);
  await copyState(host, 'web', { folder: state, number: 0 });
  const copy = `${locations.checkouts}/${old}/data`;
  expect([statSync(copy).uid, statSync(`${copy}/db`).mode & 0o777]).toEqual([1234, 0o640]);
  expect(lstatSync(`${copy}/current`).isSymbolicLink()).toBe(true);
  expect(statSync(`${copy}/db`).mtimeMs).toBe(statSync(`${state}/db`).mtimeMs);
  expect(statSync(dirname(copy)).mode & 0o777).toBe(0o700);
  expect(await hasKeptState(host, 'web', 0)).toBe(true);
});

test.each<[string, Files, Files]>([
  ['nothing was copied yet', { [`${live}/db`]: 'one' }, { [`${live}/db`]: 'one' }],
  [
    'half of the copy is there',
    { [`${live}/db`]: 'one', [`${old}.copy/data/x`]: '1' },
    { [`${live}/db`]: 'one' },
  ],
  ['the copy is there', { [`${live}/db`]: 'two', [`${old}/data/db`]: 'one' }, { [`${live}/db`]: 'one' }],
  [
    'half of the new state is removed',
    { [`${live}/x`]: 'two', [`${old}/data/db`]: 'one' },
    { [`${live}/db`]: 'one' },
  ],
  ['the new state is removed', { [`${old}.back/data/db`]: 'one' }, { [`${live}/db`]: 'one' }],
  [
    'the old state is in its place',
    { [`${live}/db`]: 'one', [`${old}.back/.`]: '' },
    { [`${live}/db`]: 'one' },
  ],
  ['there was no state before', { [`${live}/db`]: 'two', [`${old}/.`]: '' }, {}],
])('an update is taken back when %s', async (_, before, after) => {
  await using sandbox = await openState(before);
  const change = { container: 'web', folder: sandbox.state, source: 0, keeper: null } as const;
  for (let time = 0; time < 2; time += 1) {
    await restoreState(sandbox.host, change);
    expect(readFiles(sandbox)).toEqual(after);
  }
});

/** Deployment 1 is active, and deployment 0 has its state. */
const begun: Files = { [`${live}/db`]: 'two', [`${old}/data/db`]: 'one' };
const rolledBack: Files = { [`${live}/db`]: 'one', [`${next}/data/db`]: 'two' };

test('a rollback exchanges the states, and a second one does it again', async () => {
  await using sandbox = await openState(begun);
  const { host, state: folder } = sandbox;
  await restoreState(host, { container: 'web', folder, source: 0, keeper: 1 });
  expect(readFiles(sandbox)).toEqual(rolledBack);
  await restoreState(host, { container: 'web', folder, source: 1, keeper: 0 });
  expect(readFiles(sandbox)).toEqual(begun);
});

test.each<[string, Files]>([
  ['nothing was done', begun],
  ['the folder for the present state is there', { ...begun, [`${next}.new/.`]: '' }],
  ['the present state was moved', { [`${next}.new/data/db`]: 'two', [`${old}/data/db`]: 'one' }],
  [
    'a part of it is still in its place',
    { [`${live}/x`]: '', [`${next}.new/data/db`]: 'two', [`${old}/data/db`]: 'one' },
  ],
  ['the present state is kept', { [`${next}/data/db`]: 'two', [`${old}/data/db`]: 'one' }],
  [
    'the former state is about to be restored',
    { [`${next}/data/db`]: 'two', [`${old}.back/data/db`]: 'one' },
  ],
  ['the former state is in its place', { ...rolledBack, [`${old}.back/.`]: '' }],
  ['all is done', rolledBack],
])('a rollback is taken back when %s', async (_, before) => {
  await using sandbox = await openState(before);
  const { host, state: folder } = sandbox;
  for (let time = 0; time < 2; time += 1) {
    await restoreState(host, { container: 'web', folder, source: 1, keeper: 0 });
    expect(readFiles(sandbox)).toEqual(begun);
  }
});

test('the state of a deployment that another program made active is dropped', async () => {
  await using sandbox = await openState({ ...begun, [`${next}/data/db`]: 'stale' });
  await dropStaleState(sandbox.host, 'web', 1);
  expect(readFiles(sandbox)).toEqual(begun);
});

test('a copy is planned only for another version', async () => {
  await using sandbox = await openState({ [`${live}/db`]: 'one' });
  const values = { STATE_DIRECTORY: sandbox.folder.join('var') };
  const first = { ...record, values };
  const plan = (version: string) =>
    planStateCopy(sandbox.host, 'web', first, { ...first, stateVersion: version });
  expect(await planStateCopy(sandbox.host, 'web', first, first)).toBeUndefined();
  expect(await plan('2')).toBe(sandbox.state);
  const other = { ...first, values: { STATE_DIRECTORY: 'relative' } };
  expect(await planStateCopy(sandbox.host, 'web', other, { ...other, stateVersion: '2' })).toBeUndefined();
});

test('a copy to a smaller filesystem is refused, and moves to another filesystem keep all', async () => {
  await using sandbox = await openState({ [`${live}/db`]: 'one' });
  const { host, state: folder, locations } = sandbox;
  mountSmall(locations.checkouts);
  try {
    mkdirSync(`${locations.checkouts}/web.0`);
    mkdirSync(`${locations.checkouts}/web.1`);
    await copyState(host, 'web', { folder, number: 0 });
    writeFileSync(`${folder}/db`, 'two');
    await restoreState(host, { container: 'web', folder, source: 0, keeper: 1 });
    expect(readFiles(sandbox)).toEqual(rolledBack);
    writeFileSync(`${folder}/large`, Buffer.alloc(2 * 1024 * 1024));
    const first = { ...record, values: { STATE_DIRECTORY: sandbox.folder.join('var') } };
    // As an update leaves it that was killed while it looked.
    mkdirSync(`${locations.checkouts}/.web.0.new`);
    writeFileSync(`${locations.checkouts}/.web.0.new/source`, 'source\n');
    await expect(planStateCopy(host, 'web', first, { ...first, stateVersion: '2' })).rejects.toMatchObject({
      code: 'NO_SPACE',
    });
    expect(readdirSync(locations.checkouts).sort()).toEqual(['web.0', 'web.1']);
  } finally {
    spawnSync('umount', [locations.checkouts]);
  }
});

function mountSmall(folder: string): void {
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder]);
  if (status !== 0) throw new Error(String(stderr));
}
