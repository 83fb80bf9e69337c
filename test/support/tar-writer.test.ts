import { expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { buildTar, DEFAULT_MTIME, type TarEntry, tarChunks } from './tar-writer.ts';
import { tree } from './tree.ts';

test('GNU tar lists what was written', () => {
  const archive = buildTar(tree`
    d etc 0755
    f etc/passwd 0640 @1000:42 root\n
    l bin -> usr/bin
    h again => etc/passwd
    c dev/null 0666 1:3
    b dev/sda 0660 8:0
    p pipe 0600
    f ${`long/${'n'.repeat(200)}`} 04755 12345
  `);
  expect(list(archive)).toEqual([
    'drwxr-xr-x 0/0 0 2016-09-12 00:00 etc',
    '-rw-r----- 1000/42 5 2016-09-12 00:00 etc/passwd',
    'lrwxrwxrwx 0/0 0 2016-09-12 00:00 bin -> usr/bin',
    'hrw-r--r-- 0/0 0 2016-09-12 00:00 again link to etc/passwd',
    'crw-rw-rw- 0/0 1,3 2016-09-12 00:00 dev/null',
    'brw-rw---- 0/0 8,0 2016-09-12 00:00 dev/sda',
    'prw------- 0/0 0 2016-09-12 00:00 pipe',
    `-rwsr-xr-x 0/0 5 2016-09-12 00:00 long/${'n'.repeat(200)}`,
  ]);
});

const longName = `deep/${'x'.repeat(4096)}`;

test.each<[string, TarEntry, string]>([
  ['a GNU long name', { path: longName, longNames: 'gnu' }, `-rw-r--r-- 0/0 0 2016-09-12 00:00 ${longName}`],
  [
    'GNU long link names',
    { path: longName, type: 'symlink', mode: 0o777, linkName: longName, longNames: 'gnu' },
    `lrwxrwxrwx 0/0 0 2016-09-12 00:00 ${longName} -> ${longName}`,
  ],
  [
    'a PAX link name',
    { path: 'link', type: 'symlink', mode: 0o777, linkName: longName },
    `lrwxrwxrwx 0/0 0 2016-09-12 00:00 link -> ${longName}`,
  ],
  [
    'base-256 numbers',
    { path: 'big', uid: 2 ** 32 - 2, gid: 7, content: 'abc', numbers: 'base256' },
    '-rw-r--r-- 4294967294/7 3 2016-09-12 00:00 big',
  ],
  [
    'large ids in PAX',
    { path: 'big', uid: 2 ** 32 - 2, gid: 2 ** 31, mtime: -86_400 },
    '-rw-r--r-- 4294967294/2147483648 0 1969-12-31 00:00 big',
  ],
  ['a name with ..', { path: 'a/../../b' }, '-rw-r--r-- 0/0 0 2016-09-12 00:00 a/../../b'],
  ['an absolute name', { path: '/etc/x' }, '-rw-r--r-- 0/0 0 2016-09-12 00:00 /etc/x'],
])('GNU tar reads %s', (_, entry, line) => {
  expect(list(buildTar([entry]))).toEqual([line]);
});

test('extended attributes are PAX records that count themselves', () => {
  const archive = buildTar([
    { path: 'f', xattrs: { 'user.a': 'b'.repeat(70), 'user.bytes': Buffer.of(0, 10, 255) } },
  ]);
  expect(archive.toString('latin1', 512, 1024).replace(/\0+$/, '')).toBe(
    `94 SCHILY.xattr.user.a=${'b'.repeat(70)}\n31 SCHILY.xattr.user.bytes=\u0000\n\u00ff\n`,
  );
});

test.each([
  ['complete', 512 + 512 + 1024],
  ['no-trailer', 512 + 512],
  ['unpadded', 512 + 3],
] as const)('an archive with ending %s has %d bytes', (ending, length) => {
  expect(buildTar([{ path: 'f', content: 'abc' }], { ending }).length).toBe(length);
});

test('content can be made while it is written', () => {
  const content = { size: 1500, chunks: () => [Buffer.alloc(1000, 'a'), Buffer.alloc(500, 'b')] };
  const archive = Buffer.concat([...tarChunks([{ path: 'f', content }])]);
  expect(archive).toEqual(buildTar([{ path: 'f', content: 'a'.repeat(1000) + 'b'.repeat(500) }]));
});

test('raw fields replace those of the finished header', () => {
  const raw = { name: 'a\0b', linkName: 'to', size: 'zzz', checksum: 'wrong', typeFlag: '9', magic: 'bad' };
  const header = buildTar([{ path: 'honest', content: 'abc', raw }]).subarray(0, 512);
  const field = (start: number, length: number): string => header.toString('latin1', start, start + length);
  expect([field(0, 5), field(124, 12), field(148, 8), field(156, 1), field(157, 3), field(257, 8)]).toEqual([
    'a\0b\0\0',
    'zzz\0\0\0\0\0\0\0\0\0',
    'wrong\0\0\0',
    '9',
    'to\0',
    'bad\0\0\0\0\0',
  ]);
});

test('a wrong checksum makes GNU tar refuse the archive', () => {
  const run = runTar(buildTar([{ path: 'f', raw: { checksum: '0000001\0' } }]));
  expect([run.status, run.stdout]).toEqual([2, '']);
});

test('the default time is the date that the listing shows', () => {
  expect(new Date(DEFAULT_MTIME * 1000).toISOString()).toBe('2016-09-12T00:00:00.000Z');
});

function list(archive: Buffer): string[] {
  const { status, stdout, stderr } = runTar(archive);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/ +/g, ' '));
}

function runTar(archive: Buffer): { status: number | null; stdout: string; stderr: string } {
  const options = ['--numeric-owner', '--utc', '--absolute-names', '-tvf', '-'];
  return spawnSync('tar', options, {
    input: archive,
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  });
}
