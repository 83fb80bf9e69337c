import { afterAll, beforeAll, expect, test } from 'bun:test';
import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { AtomicError } from '../../../src/base/errors.ts';
import type { TarSummary } from '../../../src/tar/tar-entries.ts';
import { type TarListener, TarReader } from '../../../src/tar/tar-reader.ts';
import { buildTar, type TarEntry } from '../../support/tar-writer.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../support/temporary.ts';
import { catchError } from '../../support/thrown-error.ts';

const SEED = 20261123;
const longName = `${'deep/'.repeat(30)}file`;

/** One of everything that a layer may hold. */
const everything: readonly TarEntry[] = [
  { path: './', type: 'directory' },
  { path: 'etc', type: 'directory', mode: 0o700 },
  { path: 'etc/passwd', content: 'root\n' },
  { path: 'etc/full-block', content: 'x'.repeat(512) },
  { path: 'etc/more', content: 'y'.repeat(1300), xattrs: { 'user.a': Buffer.of(0, 10, 61) } },
  { path: 'bin', type: 'symlink', linkName: 'usr/bin' },
  { path: 'etc/again', type: 'hardlink', linkName: 'etc/passwd' },
  { path: 'dev/null', type: 'char' },
  { path: longName, content: 'pax' },
  { path: `gnu/${longName}`, longNames: 'gnu', content: 'gnu' },
  { path: 'link', type: 'symlink', linkName: longName, longNames: 'gnu' },
  { path: 'base256', numbers: 'base256', content: 'abc' },
  { path: 'é/e\u0301', pax: { path: 'é/e\u0301' } },
  { path: 'global', pax: { comment: 'x' }, raw: { typeFlag: '0' } },
  { path: 'last', content: 'z'.repeat(700) },
];
const summaryOfEverything: TarSummary = {
  unsupportedEntries: 1,
  impliedDirectories: ['dev', ...parentsOf(longName), ...parentsOf(`gnu/${longName}`), 'é'],
  mayHaveWhiteouts: true,
};

let folder: TemporaryFolder;

beforeAll(async () => {
  folder = await createTemporaryFolder('tar-reader');
  mkdirSync(folder.join('tree/sub/é'), { recursive: true });
  mkdirSync(folder.join('tree', 'd'.repeat(90), 'e'.repeat(90)), { recursive: true });
  writeFileSync(folder.join('tree/sub/file'), 'x'.repeat(5000));
  writeFileSync(folder.join('tree', 'd'.repeat(90), 'e'.repeat(90), 'f'), 'deep');
  symlinkSync('file', folder.join('tree/sub/link'));
  linkSync(folder.join('tree/sub/file'), folder.join('tree/sub/hard'));
  execFileSync('mkfifo', [folder.join('tree/pipe')]);
});

afterAll(() => folder.remove());

test('summarises an archive of everything', () => {
  expect(scan(buildTar(everything))).toEqual(summaryOfEverything);
});

test('the result does not depend on where the archive is cut into chunks', () => {
  const archive = buildTar(everything);
  const observe = (chunks: readonly Buffer[]) => ({ summary: scan(...chunks), heard: listen(chunks) });
  const whole = observe([archive]);
  const cuts = fc.array(fc.integer({ min: 1, max: archive.length - 1 }), { maxLength: 40 });
  fc.assert(
    fc.property(cuts, (at) => expect(observe(cutAt(archive, at))).toEqual(whole)),
    { numRuns: 30, seed: SEED },
  );
  for (const size of [1, 511, 512, 513]) {
    const at = Array.from({ length: Math.ceil(archive.length / size) - 1 }, (_, index) => (index + 1) * size);
    expect(observe(cutAt(archive, at))).toEqual(whole);
  }
});

test('the listener gets every byte of the archive, and every entry with its content', () => {
  const archive = buildTar(everything);
  const { bytes, entries } = listen([archive]);
  expect(bytes).toEqual(archive);
  expect(entries).toEqual(
    everything.map(({ path, content }) => ({
      name: path,
      content: typeof content === 'string' ? content : '',
    })),
  );
});

test('bytes after the end pass by unread', () => {
  const archive = Buffer.concat([buildTar(everything), Buffer.alloc(9000, 'garbage')]);
  expect(scan(archive)).toEqual(summaryOfEverything);
  expect(listen([archive]).bytes).toEqual(archive);
});

test('one block of zeros ends an archive, and what follows is not read', () => {
  const archive = Buffer.concat([
    buildTar([{ path: 'a', content: 'x' }], { ending: 'no-trailer' }),
    Buffer.alloc(512),
    buildTar([{ path: '../b' }]),
  ]);
  expect(scan(archive)).toEqual({
    unsupportedEntries: 0,
    impliedDirectories: [''],
    mayHaveWhiteouts: false,
  });
});

test.each(['complete', 'no-trailer', 'unpadded'] as const)('the end may be %s', (ending) => {
  expect(scan(buildTar([{ path: 'a', content: 'abc' }], { ending }))).toEqual({
    unsupportedEntries: 0,
    impliedDirectories: [''],
    mayHaveWhiteouts: false,
  });
});

test('an archive that is cut anywhere is cut short, or ends after the content of an entry', () => {
  const archive = buildTar(everything);
  const { ends } = listen([archive]);
  const reader = new TarReader(deaf);
  const wrong: number[] = [];
  for (let length = 0; length < archive.length; length++) {
    const isWhole = length === 0 || ends.some(({ content, padded }) => length >= content && length <= padded);
    const hasEnded = length >= archive.length - 512;
    if (isCutShort(reader) === (isWhole || hasEnded)) wrong.push(length);
    reader.push(archive.subarray(length, length + 1));
  }
  expect(wrong).toEqual([]);
});

test.each<[string, TarEntry]>([
  ['a PAX header', { path: longName }],
  ['a GNU long name', { path: longName, longNames: 'gnu' }],
  ['a GNU long link', { path: 'a', type: 'symlink', linkName: longName, longNames: 'gnu' }],
])('%s must not be the last thing', (_, entry) => {
  const header = buildTar([entry], { ending: 'no-trailer' }).subarray(0, 1024);
  expect(catchError(() => scan(header))).toEqual({
    code: 'LAYER_REJECTED',
    message: "reading the layer's archive: cut short at byte 1024",
    hint: 'The layer is damaged; build and push the image again.',
  });
  expect(catchError(() => scan(Buffer.concat([header, Buffer.alloc(1024)]))).message).toBe(
    "reading the layer's archive: a header without its entry at byte 1024",
  );
});

test.each<[string, Buffer, string]>([
  [
    'two PAX headers',
    repeated({ path: 'a', pax: { path: 'b' } }),
    'two PAX headers for one entry at byte 1024',
  ],
  [
    'two long names',
    repeated({ path: longName, longNames: 'gnu' }),
    'two long names for one entry at byte 1024',
  ],
  [
    'two long links',
    repeated({ path: 'a', type: 'symlink', linkName: longName, longNames: 'gnu' }),
    'two long link names for one entry at byte 1024',
  ],
  [
    'an empty long name',
    buildTar([{ path: 'x', raw: { typeFlag: 'L' } }, { path: 'a' }]),
    'an empty long name at byte 512, entry a',
  ],
  [
    'a PAX header of more than 1 MiB',
    buildTar([{ path: 'a', pax: { comment: 'x'.repeat(1024 * 1024) } }]),
    'a header of 1048593 bytes at byte 0',
  ],
  [
    'a long name that claims 8 GiB',
    buildTar([{ path: 'x', raw: { typeFlag: 'L', size: '77777777777' } }]),
    'a header of 8589934591 bytes at byte 0',
  ],
  [
    'a size that claims more than there is',
    buildTar([{ path: 'a', raw: { size: '77777777777' } }]),
    'cut short at byte 1536',
  ],
])('refuses %s', (_, archive, problem) => {
  expect(catchError(() => scan(archive)).message).toBe(`reading the layer's archive: ${problem}`);
});

test('a long name is used once', () => {
  const archive = buildTar([
    { path: longName, longNames: 'gnu' },
    { path: 'a', pax: { path: 'p/q' } },
    { path: 'r' },
  ]);
  expect(listen([archive]).entries.map(({ name }) => name)).toEqual([longName, 'p/q', 'r']);
});

test('a global header changes nothing', () => {
  const record = Buffer.from('11 path=no\n');
  const archive = Buffer.concat([
    buildTar([{ path: 'g', content: record, raw: { typeFlag: 'g' } }], { ending: 'no-trailer' }),
    buildTar([{ path: 'd/a' }]),
  ]);
  expect(listen([archive]).entries).toEqual([{ name: 'd/a', content: '' }]);
  expect(scan(archive).impliedDirectories).toEqual(['d', '']);
});

test('an entry has all values of its headers', () => {
  const entries: unknown[] = [];
  const archive = buildTar([
    { path: './d//sub/', type: 'directory', mode: 0o1777, uid: 7, gid: 0xfffffffe },
    { path: 'd/e\u0301', content: 'abc', mode: 0o4750, xattrs: { 'user.b': '2', 'user.a': '1' } },
    { path: 'l', type: 'symlink', linkName: '../e\u0301', pax: { uid: '123456789' } },
    { path: 'h', type: 'hardlink', linkName: './/d/e\u0301' },
  ]);
  const reader = new TarReader({ ...deaf, entry: ({ name: _, ...entry }) => entries.push(entry) });
  reader.push(archive);
  const plain = {
    ...{ size: 0, mode: 0o644, uid: 0, gid: 0, xattrs: [], target: '' },
    ...{ isElsewhere: false, sparse: undefined },
  };
  const xattr = (name: string, value: string) => [Buffer.from(`${name}\0`), Buffer.from(value)];
  expect(entries).toEqual([
    { ...plain, kind: 'directory', path: 'd/sub', mode: 0o1777, uid: 7, gid: 0xfffffffe },
    {
      ...plain,
      kind: 'file',
      path: 'd/e\u0301',
      size: 3,
      mode: 0o4750,
      xattrs: [xattr('user.a', '1'), xattr('user.b', '2')],
    },
    { ...plain, kind: 'symlink', path: 'l', uid: 123456789, target: '../e\u0301' },
    { ...plain, kind: 'hard link', path: 'h', target: 'd/e\u0301' },
  ]);
});

test.each([
  ['tar', '--format=v7'],
  ['tar', '--format=oldgnu'],
  ['tar', '--format=gnu'],
  ['tar', '--format=ustar'],
  ['tar', '--format=posix'],
  ['bsdtar', '--format=ustar'],
  ['bsdtar', '--format=gnutar'],
  ['bsdtar', '--format=pax'],
  ['bsdtar', '--format=v7tar'],
])('reads what %s %s writes', (program, format) => {
  const path = format.includes('v7') ? 'sub' : '.';
  const archive = runTar(program, [format, '-C', folder.join('tree'), '-cf', '-', path]);
  const names = runTar(program, ['-tf', '-'], archive).toString().trimEnd().split('\n');
  expect(listen([archive]).entries.map(({ name }) => name)).toEqual(names);
  expect(scan(archive)).toEqual({
    unsupportedEntries: path === '.' ? 1 : 0,
    impliedDirectories: path === '.' ? [] : [''],
    mayHaveWhiteouts: path === '.',
  });
});

test('the reader accepts any bytes, or names the fault', () => {
  const archive = buildTar(everything);
  const change = fc.record({
    at: fc.integer({ min: 0, max: archive.length - 1 }),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 8 }),
    hasSum: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), (changes) => {
      const copy = Buffer.from(archive);
      for (const { at, bytes, hasSum } of changes) {
        copy.set(bytes.subarray(0, copy.length - at), at);
        if (hasSum) writeSum(copy, at - (at % 512));
      }
      try {
        scan(copy);
      } catch (error) {
        if (!(error instanceof AtomicError) || error.code !== 'LAYER_REJECTED') throw error;
      }
    }),
    { numRuns: 700, seed: SEED },
  );
});

const deaf: TarListener = { frame: () => undefined, entry: () => undefined, content: () => undefined };

function scan(...chunks: readonly Buffer[]): TarSummary {
  const reader = new TarReader(deaf);
  for (const chunk of chunks) reader.push(chunk);
  return reader.finish();
}

function isCutShort(reader: TarReader): boolean {
  try {
    reader.finish();
    return false;
  } catch (error) {
    if (error instanceof AtomicError && error.message.includes('cut short')) return true;
    throw error;
  }
}

interface Heard {
  readonly bytes: Buffer;
  readonly entries: readonly { readonly name: string; readonly content: string }[];
  /** Of every entry, where its content and where its padding ends. */
  readonly ends: readonly { readonly content: number; readonly padded: number }[];
}

function listen(chunks: readonly Buffer[]): Heard {
  const parts: Buffer[] = [];
  const entries: { name: string; content: string }[] = [];
  const ends: { content: number; padded: number }[] = [];
  let offset = 0;
  const take = (bytes: Buffer): void => {
    parts.push(bytes);
    offset += bytes.length;
  };
  const listener: TarListener = {
    frame: take,
    entry({ name, size }) {
      entries.push({ name: name.toString('utf8'), content: '' });
      ends.push({ content: offset + size, padded: offset + Math.ceil(size / 512) * 512 });
    },
    content(bytes) {
      take(bytes);
      const entry = entries.at(-1);
      if (entry !== undefined) entry.content += bytes.toString('latin1');
    },
  };
  const reader = new TarReader(listener);
  for (const chunk of chunks) reader.push(chunk);
  return { bytes: Buffer.concat(parts), entries, ends };
}

function cutAt(archive: Buffer, at: readonly number[]): Buffer[] {
  const points = [0, ...[...at].sort((a, b) => a - b), archive.length];
  return points.slice(1).map((end, index) => archive.subarray(points[index], end));
}

/** The headers before an entry twice, then the entry. */
function repeated(entry: TarEntry): Buffer {
  const archive = buildTar([entry]);
  return Buffer.concat([archive.subarray(0, 1024), archive]);
}

function parentsOf(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, index) => parts.slice(0, parts.length - index).join('/'));
}

function writeSum(archive: Buffer, at: number): void {
  archive.fill(0x20, at + 148, at + 156);
  const sum = archive.subarray(at, at + 512).reduce((total, byte) => total + byte, 0);
  archive.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148);
}

function runTar(program: string, args: readonly string[], input?: Buffer): Buffer {
  const options = { env: { ...process.env, LC_ALL: 'C.UTF-8' }, ...(input === undefined ? {} : { input }) };
  const quoting = program === 'tar' ? ['--quoting-style=literal'] : [];
  return execFileSync(program, [...quoting, ...args], { ...options, stdio: ['pipe', 'pipe', 'inherit'] });
}
