import { afterAll, beforeAll, expect, test } from 'bun:test';
import { readdirSync } from 'node:fs';
import { GErrorThrown, type Pointer } from '../../src/native/glib.ts';
import {
  beginTransaction,
  closeRepository,
  commitTransaction,
  createRepository,
  openRepository,
  writeFileObject,
} from '../../src/native/ostree.ts';
import { lockExclusively, unlockExclusively } from '../../src/native/ostree-lock.ts';
import { pruneOptionsSize, removeOtherObjects } from '../../src/native/ostree-prune.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../support/temporary.ts';

let folder: TemporaryFolder;
let repo: Pointer;
beforeAll(async () => {
  folder = await createTemporaryFolder('native-prune');
  repo = createRepository(folder.join('repo'), 'bare');
});
afterAll(async () => {
  closeRepository(repo);
  await folder.remove();
});

const nothing = { commit: new Set<string>(), dirtree: new Set<string>(), dirmeta: new Set<string>() };

test('the structure is as large as in the header of the library', () => {
  // OstreeRepoPruneOptions, on 64 bits
  expect(pruneOptionsSize).toBe(120);
});

test('objects that are not named are removed and counted', async () => {
  beginTransaction(repo);
  const kept = writeFileObject(repo, Buffer.from('kept'));
  writeFileObject(repo, Buffer.from('one'));
  writeFileObject(repo, Buffer.from('three'));
  await commitTransaction(repo);
  expect(await removeOtherObjects(repo, { ...nothing, file: new Set([kept]) })).toEqual({
    objects: 2,
    bytes: 8,
  });
  const objects = readdirSync(folder.join('repo/objects'), { recursive: true, encoding: 'utf8' });
  expect(objects.filter((name) => name.includes('.'))).toEqual([`${kept.slice(0, 2)}/${kept.slice(2)}.file`]);
  expect(await removeOtherObjects(repo, { ...nothing, file: new Set([kept]) })).toEqual({
    objects: 0,
    bytes: 0,
  });
});

test('a transaction of the same repository fits into the lock, one of another process does not', async () => {
  await lockExclusively(repo);
  beginTransaction(repo);
  await commitTransaction(repo);
  await Bun.write(
    folder.join('repo/config'),
    `${await Bun.file(folder.join('repo/config')).text()}lock-timeout-secs=0\n`,
  );
  const other = openRepository(folder.join('repo'));
  expect(() => beginTransaction(other)).toThrow(GErrorThrown);
  await expect(lockExclusively(other)).rejects.toMatchObject({ domain: 'g-io-error-quark', code: 27 });
  unlockExclusively(repo);
  await lockExclusively(other);
  unlockExclusively(other);
  closeRepository(other);
});
