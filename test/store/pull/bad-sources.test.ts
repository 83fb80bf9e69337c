/** Files and folders that are not images, or not complete: one clear error with a hint, and nothing stored. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import type { ErrorCode } from '../../../src/base/errors.ts';
import { pullImage } from '../../../src/store/pull/pull.ts';
import { buildImage } from '../../support/oci-image.ts';
import { layoutBlobPath, writeLayout } from '../../support/oci-layout.ts';
import { run } from '../../support/run.ts';
import { createSandbox, type Sandbox } from '../../support/sandbox.ts';
import { failedPull } from '../../support/store/failed-pull.ts';
import { pullInProcess } from '../../support/store/pull-in-process.ts';
import { TEST_TIMEOUT_MS } from '../../support/store/store-fixture.ts';
import { buildTar, type TarEntry } from '../../support/tar-writer.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../support/temporary.ts';
import { tree } from '../../support/tree.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

const image = buildImage({ layers: [tree`f etc/name 0644 etcd`] });
const AGAIN = 'Make the archive again; nothing was stored.';
const DAMAGED = 'The file is damaged, or no image tool has made it; make it again.';
const OTHER_NAME = 'Store it under another name: atomic pull --as NAME[:TAG] SOURCE';

const NO_FOLDER =
  'It is a file. If it is an archive: dockertar:FILE for one of "docker save", oci-archive:FILE for one of an OCI layout';

let files: TemporaryFolder;
let store: Sandbox;
const at = (name: string): string => files.join(name);
const write = (name: string, data: string | Uint8Array): void => writeFileSync(at(name), data);
const manifest = (...images: readonly unknown[]): TarEntry => ({
  path: 'manifest.json',
  content: JSON.stringify(images),
});

beforeAll(async () => {
  files = await createTemporaryFolder('bad-sources');
  store = await createSandbox();
  await writeLayout(at('layout'), image, '3.4');
  await writeLayout(at('pair'), image, 'one');
  await writeLayout(at('pair'), image, 'two');
  run(['skopeo', 'copy', '--quiet', `oci:${at('layout')}:3.4`, `docker-archive:${at('good.tar')}:etcd:3.4`]);
  run(['skopeo', 'copy', '--quiet', `oci:${at('layout')}:3.4`, `oci-archive:${at('oci.tar')}:etcd:3.4`]);
  run(['skopeo', 'copy', '--quiet', `oci:${at('layout')}:3.4`, `dir:${at('folder')}`]);
  const good = readFileSync(at('good.tar'));
  write('empty', '');
  write('text', 'This is no archive.\n'.repeat(100));
  write('in-header.tar', good.subarray(0, 700));
  write('in-layer.tar', good.subarray(0, 1024));
  write('cut.tar.gz', gzipSync(good).subarray(0, 300));
  const zipped = gzipSync(good);
  const wrongSum = Buffer.from(zipped);
  wrongSum.writeUInt32LE((wrongSum.readUInt32LE(zipped.length - 8) ^ 1) >>> 0, zipped.length - 8);
  write('cut-end.tar.gz', zipped.subarray(0, -4));
  write('wrong-sum.tar.gz', wrongSum);
  write('garbage.tar.gz', Buffer.concat([zipped, Buffer.from('garbage behind it')]));
  write('cut-end-oci.tar.gz', gzipSync(readFileSync(at('oci.tar'))).subarray(0, -4));
  write('bad-oci.tar', readFileSync(at('oci.tar')).subarray(0, 1000));
  write('no-manifest.tar', buildTar([{ path: 'a', content: 'b' }]));
  write('no-json.tar', buildTar([{ path: 'manifest.json', content: '{' }]));
  write('none.tar', buildTar([manifest()]));
  write('large.tar', buildTar([{ path: 'manifest.json', content: Buffer.alloc(5_000_000, ' ') }]));
  write('two.tar', buildTar([manifest({ RepoTags: ['etcd:1'] }, { RepoTags: ['flannel:2'] })]));
  write('name.tar', buildTar([manifest({ RepoTags: ['../../etc/passwd:1'] })]));
  write(
    'lie.tar',
    buildTar([manifest({ Config: '../../etc/passwd', RepoTags: ['lie:1'], Layers: ['/etc/shadow'] })]),
  );
  mkdirSync(at('nothing'));
  mkdirSync(at('large'));
  writeFileSync(`${at('large')}/index.json`, Buffer.alloc(5_000_000, ' '));
});
afterAll(async () => {
  await store.remove();
  await files.remove();
});

const missing = (prefix: string): string =>
  `Check the path; a relative path begins at the current folder. The form is ${prefix}:PATH.`;

test.each<[source: string, code: ErrorCode, message: string, hint: string]>([
  [
    'dockertar:FILES/gone.tar',
    'IMAGE_NOT_FOUND',
    'reading FILES/gone.tar: there is no such file or folder',
    missing('dockertar'),
  ],
  [
    'dockertar:FILES/good.tar/x',
    'IMAGE_NOT_FOUND',
    'reading FILES/good.tar/x: there is no such file or folder',
    missing('dockertar'),
  ],
  [
    'oci:FILES/gone',
    'IMAGE_NOT_FOUND',
    'reading FILES/gone: there is no such file or folder',
    missing('oci'),
  ],
  [
    'oci-archive:FILES/gone:1',
    'IMAGE_NOT_FOUND',
    'reading FILES/gone:1: there is no such file or folder',
    missing('oci-archive'),
  ],
  [
    'dir:FILES/gone',
    'IMAGE_NOT_FOUND',
    'reading FILES/gone: there is no such file or folder',
    missing('dir'),
  ],
  [
    'dockertar:FILES/empty',
    'ARCHIVE_INVALID',
    'reading FILES/empty: it is not a tar archive, plain or gzip',
    AGAIN,
  ],
  [
    'dockertar:FILES/text',
    'ARCHIVE_INVALID',
    'reading FILES/text: it is not a tar archive, plain or gzip',
    AGAIN,
  ],
  [
    'oci-archive:FILES/text',
    'ARCHIVE_INVALID',
    'reading FILES/text: it is not a tar archive, plain or gzip',
    AGAIN,
  ],
  ['dockertar:FILES/in-header.tar', 'ARCHIVE_INVALID', 'reading FILES/in-header.tar: it is cut short', AGAIN],
  ['dockertar:FILES/in-layer.tar', 'ARCHIVE_INVALID', 'reading FILES/in-layer.tar: it is cut short', AGAIN],
  [
    'dockertar:FILES/cut.tar.gz',
    'ARCHIVE_INVALID',
    'reading FILES/cut.tar.gz: its compressed data is damaged or cut short',
    AGAIN,
  ],
  [
    'dockertar:FILES/cut-end.tar.gz',
    'ARCHIVE_INVALID',
    'reading FILES/cut-end.tar.gz: its compressed data is damaged or cut short',
    AGAIN,
  ],
  [
    'dockertar:FILES/wrong-sum.tar.gz',
    'ARCHIVE_INVALID',
    'reading FILES/wrong-sum.tar.gz: its compressed data is damaged or cut short',
    AGAIN,
  ],
  [
    'dockertar:FILES/garbage.tar.gz',
    'ARCHIVE_INVALID',
    'reading FILES/garbage.tar.gz: other data follows its compressed data',
    AGAIN,
  ],
  [
    'oci-archive:FILES/cut-end-oci.tar.gz',
    'ARCHIVE_INVALID',
    'reading FILES/cut-end-oci.tar.gz: its compressed data is damaged or cut short',
    AGAIN,
  ],
  ['oci-archive:FILES/bad-oci.tar', 'ARCHIVE_INVALID', 'reading FILES/bad-oci.tar: it is cut short', AGAIN],
  [
    'dockertar:FILES/nothing',
    'SOURCE_UNREADABLE',
    'reading FILES/nothing: it is a folder, not an archive',
    'Check the file: ls -ld FILES/nothing',
  ],
  [
    'dockertar:FILES/oci.tar',
    'ARCHIVE_INVALID',
    'reading FILES/oci.tar: it has no manifest.json, so it is not an archive of "docker save"',
    'It looks like an OCI archive: write oci-archive:FILES/oci.tar',
  ],
  [
    'oci-archive:FILES/good.tar',
    'ARCHIVE_INVALID',
    'reading FILES/good.tar: it has no index.json, so it is not an OCI archive',
    'It looks like an archive of "docker save": write dockertar:FILES/good.tar',
  ],
  [
    'oci:FILES/nothing',
    'ARCHIVE_INVALID',
    'reading FILES/nothing: it has no index.json, so it is not an OCI layout',
    AGAIN,
  ],
  [
    'oci:FILES/text',
    'ARCHIVE_INVALID',
    'reading FILES/text: it has no index.json, so it is not an OCI layout',
    NO_FOLDER.replaceAll('FILE', 'FILES/text'),
  ],
  [
    'dir:FILES/nothing',
    'ARCHIVE_INVALID',
    'reading FILES/nothing: it has no manifest.json, so it is not a folder that skopeo has written',
    AGAIN,
  ],
  [
    'dir:FILES/layout',
    'ARCHIVE_INVALID',
    'reading FILES/layout: it has no manifest.json, so it is not a folder that skopeo has written',
    'It looks like an OCI layout: write oci:FILES/layout',
  ],
  [
    'oci:FILES/folder',
    'ARCHIVE_INVALID',
    'reading FILES/folder: it has no index.json, so it is not an OCI layout',
    'It looks like a folder that skopeo has written: write dir:FILES/folder',
  ],
  [
    'dir:FILES/good.tar',
    'ARCHIVE_INVALID',
    'reading FILES/good.tar: it has no manifest.json, so it is not a folder that skopeo has written',
    NO_FOLDER.replaceAll('FILE', 'FILES/good.tar'),
  ],
  [
    'oci:FILES/large',
    'ARCHIVE_INVALID',
    'reading FILES/large/index.json: 5000000 bytes are more than 4194304',
    AGAIN,
  ],
  [
    'dockertar:FILES/no-json.tar',
    'ARCHIVE_INVALID',
    'reading manifest.json of FILES/no-json.tar: it is not JSON',
    DAMAGED,
  ],
  [
    'dockertar:FILES/none.tar',
    'ARCHIVE_INVALID',
    'reading manifest.json of FILES/none.tar: it lists no images',
    DAMAGED,
  ],
  [
    'dockertar:FILES/large.tar',
    'ARCHIVE_INVALID',
    "reading FILES/large.tar: 'manifest.json' has 5000000 bytes, more than 4194304",
    AGAIN,
  ],
  [
    'dockertar:FILES/two.tar',
    'BAD_REFERENCE',
    'reading FILES/two.tar: it holds several images: etcd:1, flannel:2',
    'Name one of them, for example dockertar:FILES/two.tar:etcd:1',
  ],
  [
    'dockertar:FILES/two.tar:etcd:9',
    'IMAGE_NOT_FOUND',
    'reading FILES/two.tar: it holds no image etcd:9',
    'It holds etcd:1, flannel:2.',
  ],
  [
    'oci:FILES/pair',
    'BAD_REFERENCE',
    'reading FILES/pair: it holds several images: one, two',
    'Name one of them, for example oci:FILES/pair:one',
  ],
  [
    'oci:FILES/pair:three',
    'IMAGE_NOT_FOUND',
    'reading FILES/pair: it holds no image three',
    'It holds one, two.',
  ],
  [
    'dockertar:FILES/name.tar',
    'BAD_REFERENCE',
    "naming the image of docker-archive:FILES/name.tar:../../etc/passwd:1: '../../etc/passwd:1' is not a name for an image",
    OTHER_NAME,
  ],
])('%s: %s', async (source, code, message, hint) => {
  const fill = (text: string): string => text.replaceAll('FILES', files.path);
  expect(await failedPull(store, fill(source))).toEqual({ code, message: fill(message), hint: fill(hint) });
});

test.each([
  ['../../etc/cron.d/x:1'],
  ['../x'],
  ['/etc/passwd'],
  ['-oProxy:1'],
  ['a b:1'],
  ['\u001b[2J:1'],
  [''],
])('a docker archive that calls itself %j gives its image no such name', async (name) => {
  const manifest = [{ Config: `${'a'.repeat(64)}.json`, RepoTags: [name], Layers: [] }];
  write('named.tar', buildTar([{ path: 'manifest.json', content: JSON.stringify(manifest) }]));
  const { code, message } = await failedPull(store, `dockertar:${at('named.tar')}`);
  expect(code).toMatch(/^(?:BAD_REFERENCE|ARCHIVE_INVALID)$/);
  expect(message).not.toContain('\u001b');
});

test('an archive whose list names files of this machine reads none of them', async () => {
  const failure = await failedPull(store, `dockertar:${at('lie.tar')}`);
  expect(failure).toEqual({
    code: 'ARCHIVE_INVALID',
    hint: 'manifest.json of the archive names a file that is missing; create the archive again.',
    message: expect.stringMatching(/^the archive does not contain "?\.\.\/\.\.\/etc\/passwd"?$/),
  });
});

const index = { path: 'index.json', content: '{"schemaVersion":2,"manifests":[{}]}' };

test.each<[title: string, entry: TarEntry, problem: string]>([
  ['".."', { path: '../escape', content: 'x' }, "the name '../escape' leads out of it"],
  [
    '".." in the middle',
    { path: 'a/../../escape', content: 'x' },
    "the name 'a/../../escape' leads out of it",
  ],
  ['an absolute name', { path: '/tmp/escape', content: 'x' }, "the name '/tmp/escape' leads out of it"],
  ['a symlink', { path: 'blobs', type: 'symlink', linkName: '/' }, "'blobs' is neither a file nor a folder"],
  [
    'a hard link',
    { path: 'b', type: 'hardlink', linkName: '/etc/passwd' },
    "'b' is neither a file nor a folder",
  ],
  ['4 KB', { path: `${'a/'.repeat(2048)}x`, content: 'x' }, 'its name is longer than names in a layout are'],
  ['a NUL', { path: 'a', pax: { path: 'b\0c' } }, 'its name is longer than names in a layout are'],
])('an OCI archive with a name that is %s', async (_, entry, problem) => {
  write('hostile.tar', buildTar([entry, index]));
  expect(await failedPull(store, `oci-archive:${at('hostile.tar')}`)).toEqual({
    code: 'ARCHIVE_INVALID',
    message: `reading ${at('hostile.tar')}: ${problem}`,
    hint: AGAIN,
  });
  expect(existsSync('/tmp/escape')).toBe(false);
});

test.each<[prefix: string, program: string, start: Uint8Array]>([
  ['dockertar', 'bzip2', Buffer.from('BZh91AY&SY')],
  ['oci-archive', 'xz', Buffer.from('fd377a585a000004', 'hex')],
  ['dockertar', 'zstd', zstdCompressSync('small')],
])('%s: of what %s has compressed', async (prefix, program, start) => {
  write('small.tar', start);
  write('long.tar', Buffer.concat([start, Buffer.alloc(700, 'large')]));
  for (const file of [at('small.tar'), at('long.tar')]) {
    expect(await failedPull(store, `${prefix}:${file}`)).toEqual({
      code: 'ARCHIVE_INVALID',
      message: `reading ${file}: it is compressed with ${program}; only gzip is read`,
      hint: `Decompress it first: ${program} -dc ${file} > image.tar`,
    });
  }
});

test('a file that the person may not read', async () => {
  chmodSync(files.path, 0o755);
  write('private.tar', readFileSync(at('good.tar')));
  chmodSync(at('private.tar'), 0o600);
  const wrapper = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
  const theirs: Sandbox = { ...store, host: { ...store.host, uid: 65534, gid: 65534 } };
  const source = `dockertar:${at('private.tar')}`;
  expect(await pullInProcess(theirs, source, { wrapper })).toEqual({
    kind: 'failed',
    code: 'SOURCE_UNREADABLE',
    message: `pulling ${source}: reading ${at('private.tar')}: permission denied`,
    hint: `Check the file: ls -ld ${at('private.tar')}`,
  });
});

test('a layout whose layer is missing, and one whose layer was changed', async () => {
  const [layer] = image.layers;
  const digest = layer?.digest ?? '';
  await writeLayout(at('damaged'), image, '1');
  const blob = layoutBlobPath(at('damaged'), digest);
  writeFileSync(blob, Buffer.alloc(layer?.size ?? 0));
  expect(await failedPull(store, `oci:${at('damaged')}`)).toMatchObject({ code: 'DIGEST_MISMATCH' });
  rmSync(blob);
  expect(await failedPull(store, `oci:${at('damaged')}`)).toEqual({
    code: 'ARCHIVE_INVALID',
    message: `layer ${digest}: open ${blob}: no such file or directory`,
    hint: 'A file of the image is missing: copy the whole folder or archive again.',
  });
});

test('a FIFO is not waited for', async () => {
  run(['mkfifo', at('fifo')]);
  expect(await failedPull(store, `dockertar:${at('fifo')}`)).toEqual({
    code: 'SOURCE_UNREADABLE',
    message: `reading ${at('fifo')}: it is neither a file nor a folder`,
    hint: `Check the file: ls -ld ${at('fifo')}`,
  });
});

test('no engine is running', async () => {
  await using lonely = await createSandbox({ env: { DOCKER_HOST: `unix://${at('docker.sock')}` } });
  expect(await failedPull(lonely, 'docker:etcd')).toEqual({
    code: 'ENGINE_UNREACHABLE',
    message: `initializing source docker-daemon:etcd:latest: loading image from docker engine: Cannot connect to the Docker daemon at unix://${at('docker.sock')}. Is the docker daemon running?`,
    hint: 'Start Docker: systemctl start docker. If it listens on another address, set DOCKER_HOST.',
  });
});

test('500 layers are taken, 501 are not', async () => {
  // Few are different, so that the test is about their number and not about the disk.
  const layers = Array.from({ length: 500 }, (_, number) => tree`f etc/${String(number % 5)} 0644 x`);
  await writeLayout(at('500'), buildImage({ layers }), 'many');
  await writeLayout(at('501'), buildImage({ layers: [...layers, tree`f etc/one 0644 more`] }), 'many');
  expect((await pullImage(store.host, `oci:${at('500')}:many`, {})).image.layerDigests.length).toBe(500);
  expect(await failedPull(store, `oci:${at('501')}:many`)).toMatchObject({
    code: 'MANIFEST_INVALID',
    message: 'reading the manifest: 501 layers are more than 500',
  });
});
