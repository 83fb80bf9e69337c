import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { toChecksum } from '../../src/image/checksum.ts';
import { GErrorThrown, type Pointer } from '../../src/native/glib.ts';
import {
  abortTransaction,
  beginTransaction,
  checkoutWithLinks,
  closeRepository,
  commitTransaction,
  createRepository,
  loadMetadata,
  openRepository,
  optionSizes,
  removeRef,
  setRef,
  writeFileObject,
  writeMetadata,
} from '../../src/native/ostree.ts';
import { formatCommitPieces, formatDirMeta, formatDirTree } from '../../src/ostree/ostree-objects.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../support/temporary.ts';

let folder: TemporaryFolder;
let path: string;
let repo: Pointer;

beforeAll(async () => {
  folder = await createTemporaryFolder('native-ostree');
  path = folder.join('repo');
  repo = createRepository(path, 'bare');
});

afterEach(() => abortTransaction(repo));

afterAll(async () => {
  closeRepository(repo);
  await folder.remove();
});

test('structures are as large as in the headers of the library', () => {
  // OstreeRepoCheckoutAtOptions, on 64 bits
  expect(optionSizes).toEqual({ checkoutOptions: 152 });
});

test.each([
  ['bare', 'bare'],
  ['bare-user', 'bare-user'],
] as const)('creates a repository of the mode %s, also where one is', (mode, written) => {
  const at = folder.join(`new-${mode}`);
  closeRepository(createRepository(at, mode));
  closeRepository(createRepository(at, mode));
  expect(readFileSync(`${at}/config`, 'utf8')).toContain(`mode=${written}\n`);
  closeRepository(openRepository(at));
});

test('a ref appears with the transaction, and not without it', async () => {
  beginTransaction(repo);
  const commit = writeCommit('first\n');
  setRef(repo, 'ociimage/aborted', commit);
  abortTransaction(repo);
  expect(existsSync(`${path}/refs/heads/ociimage/aborted`)).toBe(false);
  expect(() => loadMetadata(repo, 'commit', commit)).toThrow(GErrorThrown);

  beginTransaction(repo);
  setRef(repo, 'ociimage/kept', writeCommit('second\n'));
  await commitTransaction(repo);
  expect(readFileSync(`${path}/refs/heads/ociimage/kept`, 'utf8')).toMatch(/^[0-9a-f]{64}\n$/);

  removeRef(repo, 'ociimage/kept');
  expect(existsSync(`${path}/refs/heads/ociimage/kept`)).toBe(false);
  removeRef(repo, 'ociimage/kept');
});

test('aborting without a transaction does nothing', () => {
  expect(abortTransaction(repo)).toBeUndefined();
});

test('objects have the checksum of their bytes, and come back', async () => {
  beginTransaction(repo);
  const data = formatDirMeta({
    uid: 1,
    gid: 2,
    mode: 0o040711,
    xattrs: [[Buffer.from('user.a\0'), Buffer.from('b')]],
  });
  const checksum = writeMetadata(repo, 'dirmeta', data);
  expect(checksum).toBe(createHash('sha256').update(data).digest('hex'));
  expect(loadMetadata(repo, 'dirmeta', checksum)).toEqual(data);
  await commitTransaction(repo);
  expect(loadMetadata(repo, 'dirmeta', checksum)).toEqual(data);
});

test('a missing object has a separate error', () => {
  expect(() => loadMetadata(repo, 'dirtree', '00'.repeat(32))).toThrow(GErrorThrown);
});

test('a checkout is hard links to the objects', async () => {
  beginTransaction(repo);
  const commit = writeCommit('linked\n');
  await commitTransaction(repo);
  const destination = folder.join('checkout');
  await checkoutWithLinks(repo, commit, '/', destination);
  expect(readdirSync(destination)).toEqual(['content']);
  expect(readFileSync(`${destination}/content`, 'utf8')).toBe('linked\n');
  const { nlink, mode, uid, gid } = lstatSync(`${destination}/content`);
  expect({ nlink, mode, uid, gid }).toEqual({ nlink: 2, mode: 0o100644, uid: 0, gid: 0 });
});

test('a checkout into an existing folder fails', async () => {
  beginTransaction(repo);
  const commit = writeCommit('again\n');
  await commitTransaction(repo);
  await checkoutWithLinks(repo, commit, '/', folder.join('twice'));
  await expect(checkoutWithLinks(repo, commit, '/', folder.join('twice'))).rejects.toThrow('File exists');
});

/** A commit of one file, in the open transaction. */
function writeCommit(content: string): string {
  const checksum = toChecksum(writeFileObject(repo, Buffer.from(content)));
  const files = [{ name: 'content', checksum }];
  const dirtree = toChecksum(writeMetadata(repo, 'dirtree', formatDirTree({ files, directories: [] })));
  const meta = formatDirMeta({ uid: 0, gid: 0, mode: 0o040755, xattrs: [] });
  const dirmeta = toChecksum(writeMetadata(repo, 'dirmeta', meta));
  const timestamp = new Date(0);
  const data = Buffer.concat([...formatCommitPieces({ dirtree, dirmeta, timestamp, metadata: new Map() })]);
  return writeMetadata(repo, 'commit', data);
}
