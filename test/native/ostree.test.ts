import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  createWriteStream,
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  formatCommit,
  formatDirMeta,
  formatDirTree,
  parseDirMeta,
  parseDirTree,
} from '../../src/core/ostree-objects.ts';
import { GErrorThrown, type Pointer } from '../../src/native/glib.ts';
import { openPipe } from '../../src/native/libc.ts';
import {
  abortTransaction,
  beginTransaction,
  checkoutHardLinks,
  closeRepository,
  commitTransaction,
  createRepository,
  importTar,
  loadMetadata,
  openRepository,
  optionSizes,
  setRef,
  type TreeChecksums,
  writeFileObject,
  writeMetadata,
} from '../../src/native/ostree.ts';
import { buildTar } from '../support/tar-writer.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../support/temporary.ts';
import { tree } from '../support/tree.ts';

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
  // OstreeRepoImportArchiveOptions and OstreeRepoCheckoutAtOptions, on 64 bits
  expect(optionSizes).toEqual({ importOptions: 104, checkoutOptions: 152 });
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

test('imports files, folders, links and xattrs; leaves devices and FIFOs out; makes parents', async () => {
  const { dirtree, dirmeta } = await importing(
    buildTar(tree`
      f a/b/file 0640 @1000:42 hello
      d named 0700 @7:8
      x named user.origin=test
      h hard => a/b/file
      l link -> a/b
      c dev/null 0666 1:3
      b disk 0660 8:0
      p pipe 0600
    `),
  );
  const root = parseDirTree(loadMetadata(repo, 'dirtree', dirtree));
  expect(root.files.map(({ name }) => name)).toEqual(['hard', 'link']);
  expect(root.directories.map(({ name }) => name)).toEqual(['a', 'dev', 'named']);
  const metaOf = (name: string): unknown =>
    parseDirMeta(
      loadMetadata(repo, 'dirmeta', root.directories.find((child) => child.name === name)?.dirmeta ?? ''),
    );
  const made = { uid: 0, gid: 0, mode: 0o040755, xattrs: [] };
  expect(parseDirMeta(loadMetadata(repo, 'dirmeta', dirmeta))).toEqual(made);
  // A folder that is made gets the owner of what it is made for.
  expect([metaOf('a'), metaOf('dev'), metaOf('named')]).toEqual([
    { ...made, uid: 1000, gid: 42 },
    made,
    { uid: 7, gid: 8, mode: 0o040700, xattrs: [[Buffer.from('user.origin\0'), Buffer.from('test')]] },
  ]);
});

test('an empty archive is an empty directory', async () => {
  const { dirtree } = await importing(Buffer.alloc(1024));
  expect(parseDirTree(loadMetadata(repo, 'dirtree', dirtree))).toEqual({ files: [], directories: [] });
});

test('an archive is read to the end of its stream, so that its writer can finish', async () => {
  const { dirtree } = await importing(
    Buffer.concat([buildTar([{ path: 'a' }]), Buffer.alloc(5 * 1024 * 1024)]),
  );
  expect(parseDirTree(loadMetadata(repo, 'dirtree', dirtree)).files.map(({ name }) => name)).toEqual(['a']);
  abortTransaction(repo);
});

test.each<[string, Buffer, string]>([
  ['noise', Buffer.alloc(2048, 'noise'), 'Unrecognized archive format'],
  ['a cut archive', buildTar([{ path: 'a', content: 'x'.repeat(3000) }]).subarray(0, 2048), 'Truncated'],
  ['a name with ".."', buildTar([{ path: 'a/../../b' }]), "Invalid uplink '..'"],
  [
    'a directory over a file',
    buildTar([{ path: 'a' }, { path: 'a/b' }]),
    'a name is both a file and a directory',
  ],
])('importing %s fails with a reason', async (_, archive, reason) => {
  const error: unknown = await importing(archive).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(Error);
  expect(String(error)).toContain(reason);
});

test.each([
  ['C.UTF-8', 'C.UTF-8'],
  ['C', 'C'],
  ['no', undefined],
])('names outside ASCII are kept with %s locale', (_, locale) => {
  const names = ['composed-\u00e9', 'decomposed-e\u0301', 'emoji-\u{1f600}', 'plain'];
  const { LANG: _lang, LC_ALL: _all, LC_CTYPE: _ctype, ...env } = process.env;
  const output = execFileSync(process.execPath, [importer, folder.join('locale-repo'), ...names], {
    encoding: 'utf8',
    env: locale === undefined ? env : { ...env, LANG: locale, LC_ALL: locale },
  });
  expect(JSON.parse(output)).toEqual([...names].sort());
});

const importer = new URL('import-names.ts', import.meta.url).pathname;

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

  beginTransaction(repo);
  setRef(repo, 'ociimage/kept', undefined);
  await commitTransaction(repo);
  expect(existsSync(`${path}/refs/heads/ociimage/kept`)).toBe(false);
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

test('an object that is not there has an error of its own', () => {
  expect(() => loadMetadata(repo, 'dirtree', '00'.repeat(32))).toThrow(GErrorThrown);
});

test('a checkout is hard links to the objects', async () => {
  beginTransaction(repo);
  const commit = writeCommit('linked\n');
  await commitTransaction(repo);
  const destination = folder.join('checkout');
  await checkoutHardLinks(repo, commit, destination);
  expect(readdirSync(destination)).toEqual(['content']);
  expect(readFileSync(`${destination}/content`, 'utf8')).toBe('linked\n');
  const { nlink, mode, uid, gid } = lstatSync(`${destination}/content`);
  expect({ nlink, mode, uid, gid }).toEqual({ nlink: 2, mode: 0o100644, uid: 0, gid: 0 });
});

test('a checkout into what is there fails', async () => {
  beginTransaction(repo);
  const commit = writeCommit('again\n');
  await commitTransaction(repo);
  await checkoutHardLinks(repo, commit, folder.join('twice'));
  await expect(checkoutHardLinks(repo, commit, folder.join('twice'))).rejects.toThrow('File exists');
});

test('a checkout to another filesystem fails and copies nothing', async () => {
  const other = mkdtempSync('/dev/shm/atomic-native-ostree-');
  expect(lstatSync(other).dev).not.toBe(lstatSync(path).dev);
  beginTransaction(repo);
  const commit = writeCommit('far\n');
  await commitTransaction(repo);
  try {
    await expect(checkoutHardLinks(repo, commit, `${other}/checkout`)).rejects.toThrow(
      /hardlink checkout across devices|Invalid cross-device link/,
    );
    expect(existsSync(`${other}/checkout/content`)).toBe(false);
  } finally {
    rmSync(other, { recursive: true });
  }
});

/** Opens a transaction and imports a stream into it; the transaction stays open. */
async function importing(archive: Buffer): Promise<TreeChecksums> {
  beginTransaction(repo);
  const { readEnd, writeEnd } = openPipe(64 * 1024);
  const writing = pipeline(Readable.from([archive]), createWriteStream('', { fd: writeEnd }));
  const storing = importTar(repo, readEnd).finally(() => closeSync(readEnd));
  const [written, stored] = await Promise.allSettled([writing, storing]);
  if (stored.status === 'rejected') throw stored.reason;
  if (written.status === 'rejected') throw written.reason;
  return stored.value;
}

/** A commit of one file, in the open transaction. */
function writeCommit(content: string): string {
  const checksum = writeFileObject(repo, Buffer.from(content));
  const files = [{ name: 'content', checksum }];
  const dirtree = writeMetadata(repo, 'dirtree', formatDirTree({ files, directories: [] }));
  const dirmeta = writeMetadata(
    repo,
    'dirmeta',
    formatDirMeta({ uid: 0, gid: 0, mode: 0o040755, xattrs: [] }),
  );
  const timestamp = new Date(0);
  return writeMetadata(repo, 'commit', formatCommit({ dirtree, dirmeta, timestamp, metadata: new Map() }));
}
