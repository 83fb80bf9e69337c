import { afterAll, beforeAll, expect, test } from 'bun:test';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { type Checksum, toChecksum } from '../../../src/image/checksum.ts';
import { VariantMalformed } from '../../../src/ostree/gvariant.ts';
import {
  type Commit,
  type DirMeta,
  type DirTree,
  formatCommitPieces,
  formatDirMeta,
  formatDirTree,
  parseCommit,
  parseDirMeta,
  parseDirTree,
  parseParent,
} from '../../../src/ostree/ostree-objects.ts';
import type { TextPieces } from '../../../src/ostree/variant-writer.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../support/temporary.ts';

const SEED = 20261123;
const MANY = 1500;

let folder: TemporaryFolder;
let root: string;

/** A repository that `ostree` made: many entries, long names, UTF-8, xattrs, metadata over 64 KiB. */
beforeAll(async () => {
  folder = await createTemporaryFolder('ostree-objects');
  const tree = folder.join('tree');
  mkdirSync(folder.join('tree/many'), { recursive: true });
  mkdirSync(folder.join('tree/é ü/\u{1f600}'), { recursive: true });
  mkdirSync(folder.join('tree/empty'));
  for (let index = 0; index < MANY; index++)
    writeFileSync(folder.join('tree/many', `${index}-${'n'.repeat(40)}`), '');
  for (let index = 0; index < 10; index++) mkdirSync(folder.join('tree', `d${index}-${'m'.repeat(100)}`));
  writeFileSync(folder.join('tree/file'), 'content\n');
  symlinkSync('file', folder.join('tree/link'));
  const attribute = 'import os,sys; os.setxattr(sys.argv[1], sys.argv[2], sys.argv[3].encode())';
  execFileSync('python3', ['-c', attribute, folder.join('tree/é ü'), 'user.short', 'x']);
  execFileSync('python3', ['-c', attribute, folder.join('tree/é ü'), 'user.long', 'y'.repeat(1000)]);
  ostree('init', '--mode=bare');
  const metadata = [
    `--add-metadata-string=docker.manifest=${'m'.repeat(70_000)}`,
    '--add-metadata=other=uint32 7',
  ];
  root = ostree('commit', '--branch=first', '--timestamp=2020-02-20T20:02:20Z', ...metadata, tree);
});

afterAll(() => folder.remove());

test('reads the commit, without metadata of other types', () => {
  const [dirtree, dirmeta] = contentsOf(root);
  expect(parseCommit(readObject(root, 'commit'))).toEqual({
    metadata: new Map([['docker.manifest', 'm'.repeat(70_000)]]),
    timestamp: new Date('2020-02-20T20:02:20Z'),
    dirtree,
    dirmeta,
  });
});

test('reads a directory of many entries, whose object needs wide offsets', () => {
  const data = readObject(findDirectory('many').dirtree, 'dirtree');
  expect(data.length).toBeGreaterThan(64 * 1024);
  const { files, directories } = parseDirTree(data);
  expect(directories).toEqual([]);
  expect(files.map(({ name }) => name)).toEqual(readdirSync(folder.join('tree/many')).sort());
});

test('reads owner, mode and xattrs of a directory', () => {
  expect(parseDirMeta(readObject(findDirectory('é ü').dirmeta, 'dirmeta'))).toEqual({
    uid: process.getuid?.() ?? -1,
    gid: process.getgid?.() ?? -1,
    mode: 0o040755,
    xattrs: [
      [Buffer.from('user.long\0'), Buffer.from('y'.repeat(1000))],
      [Buffer.from('user.short\0'), Buffer.from('x')],
    ],
  });
});

test('every directory object of the repository is written as it was read', () => {
  const counts = { dirtree: 0, dirmeta: 0 };
  for (const { checksum, extension } of listObjects()) {
    if (extension !== 'dirtree' && extension !== 'dirmeta') continue;
    const data = readObject(checksum, extension);
    const again =
      extension === 'dirtree' ? formatDirTree(parseDirTree(data)) : formatDirMeta(parseDirMeta(data));
    expect(again).toEqual(data);
    expect(createHash('sha256').update(again).digest('hex')).toBe(checksum);
    counts[extension] += 1;
  }
  expect(counts).toEqual({ dirtree: 4, dirmeta: 2 });
});

test('cut or changed objects parse or are malformed, nothing else', () => {
  const objects = [
    { data: readObject(root, 'commit'), parse: parseCommit },
    { data: readObject(contentsOf(root)[0], 'dirtree'), parse: parseDirTree },
    { data: readObject(findDirectory('é ü').dirmeta, 'dirmeta'), parse: parseDirMeta },
  ];
  fc.assert(
    fc.property(
      fc.constantFrom(...objects),
      fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 6 }),
      fc.option(fc.nat()),
      ({ data, parse }, changes, cut) => {
        const copy = Buffer.from(data);
        for (const [at, byte] of changes) copy[copy.length - 1 - (at % Math.min(copy.length, 400))] = byte;
        parseOrRefuse(parse, cut === null ? copy : copy.subarray(0, cut % copy.length));
      },
    ),
    { numRuns: 1500, seed: SEED },
  );
});

test.each<[string, (data: Buffer) => unknown, () => Buffer, string]>([
  [
    'a short checksum',
    parseDirTree,
    () => formatDirTree({ files: [{ name: 'a', checksum: 'abcd' as Checksum }], directories: [] }),
    'a checksum that is not 32 bytes',
  ],
  [
    'a commit of a far future',
    parseCommit,
    () => withTime(formatCommit(exampleCommit(new Map())), 2n ** 63n),
    'a time that is out of range',
  ],
  ['an empty commit', parseCommit, () => Buffer.alloc(0), 'a tuple shorter than its offsets'],
])('refuses %s', (_, parse, make, reason) => {
  expect(() => parse(make())).toThrow(new VariantMalformed(reason));
});

test('parses the directories that it formatted', () => {
  fc.assert(
    fc.property(anyTree(), (tree) => {
      expect(parseDirTree(formatDirTree(tree))).toEqual(tree);
    }),
    { numRuns: 200, seed: SEED },
  );
});

test('parses the owners and modes that it formatted', () => {
  const number = fc.integer({ min: 0, max: 2 ** 32 - 1 });
  const bytes = fc.uint8Array({ maxLength: 300 }).map((value) => Buffer.from(value));
  const meta: fc.Arbitrary<DirMeta> = fc.record({
    uid: number,
    gid: number,
    mode: number,
    xattrs: fc.array(fc.tuple(bytes, bytes), { maxLength: 3 }),
  });
  fc.assert(
    fc.property(meta, (value) => {
      expect(parseDirMeta(formatDirMeta(value))).toEqual(value);
    }),
    { numRuns: 200, seed: SEED },
  );
});

test('parses the commits that it formatted', () => {
  const metadata = fc.array(fc.tuple(anyName(), fc.oneof(anyName(), fc.constant('m'.repeat(70_000)))), {
    maxLength: 4,
  });
  fc.assert(
    fc.property(metadata, (entries) => {
      const commit = exampleCommit(new Map(entries));
      expect(parseCommit(formatCommit(commit))).toEqual(commit);
    }),
    { numRuns: 200, seed: SEED },
  );
});

test('a time is kept to the second', () => {
  const commit = { ...exampleCommit(new Map()), timestamp: new Date('2026-11-23T23:59:59.999Z') };
  expect(parseCommit(formatCommit(commit)).timestamp).toEqual(new Date('2026-11-23T23:59:59.000Z'));
});

test('ostree reads a commit that was formatted here', () => {
  const [dirtree, dirmeta] = contentsOf(root);
  const data = formatCommit({ ...exampleCommit(new Map([['k', 'v']])), dirtree, dirmeta });
  const checksum = createHash('sha256').update(data).digest('hex');
  mkdirSync(folder.join('repo/objects', checksum.slice(0, 2)), { recursive: true });
  writeFileSync(folder.join('repo/objects', checksum.slice(0, 2), `${checksum.slice(2)}.commit`), data);
  expect(ostree('show', '--print-metadata-key=k', checksum)).toBe("'v'");
  expect(ostree('log', checksum)).toContain('Date:  2020-02-20 20:02:20 +0000');
  expect(ostree('fsck')).toContain('object fsck of 2 commits completed successfully - no errors found.');
});

function ostree(command: string, ...args: string[]): string {
  return execFileSync('ostree', [command, `--repo=${folder.join('repo')}`, ...args], {
    encoding: 'utf8',
    env: { ...process.env, TZ: 'UTC' },
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();
}

/** Checksums of the root's dirtree and dirmeta, as `ostree ls` says them. */
function contentsOf(commit: string): [Checksum, Checksum] {
  const line = ostree('ls', '-C', '-d', commit, '/').split(/ +/);
  return [toChecksum(line[4] ?? ''), toChecksum(line[5] ?? '')];
}

function findDirectory(name: string): DirTree['directories'][number] {
  const found = parseDirTree(readObject(contentsOf(root)[0], 'dirtree')).directories.find(
    (child) => child.name === name,
  );
  if (found === undefined) throw new Error(`no directory ${name}`);
  return found;
}

function readObject(checksum: string, extension: string): Buffer {
  return readFileSync(folder.join('repo/objects', checksum.slice(0, 2), `${checksum.slice(2)}.${extension}`));
}

function listObjects(): { checksum: string; extension: string }[] {
  return readdirSync(folder.join('repo/objects')).flatMap((start) =>
    readdirSync(folder.join('repo/objects', start)).map((name) => {
      const [rest = '', extension = ''] = name.split('.');
      return { checksum: start + rest, extension };
    }),
  );
}

function parseOrRefuse(parse: (data: Buffer) => unknown, data: Buffer): void {
  try {
    parse(data);
  } catch (error) {
    if (!(error instanceof VariantMalformed)) throw error;
  }
}

function exampleCommit(metadata: ReadonlyMap<string, string>): Commit {
  return {
    metadata,
    timestamp: new Date('2020-02-20T20:02:20Z'),
    dirtree: toChecksum('ab'.repeat(32)),
    dirmeta: toChecksum('cd'.repeat(32)),
  };
}

/** The commit's time is the last number of fixed place: before its two checksums and the table of five offsets. */
function withTime(commit: Buffer, seconds: bigint): Buffer {
  const at = commit.indexOf(Buffer.from('ab'.repeat(32), 'hex')) - 8;
  commit.writeBigUInt64BE(seconds, at);
  return commit;
}

function anyName(): fc.Arbitrary<string> {
  return fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 60 })
    .map((value) => value.replaceAll('\0', '').toWellFormed());
}

function anyTree(): fc.Arbitrary<DirTree> {
  const checksum = fc
    .uint8Array({ minLength: 32, maxLength: 32 })
    .map((bytes) => toChecksum(Buffer.from(bytes).toString('hex')));
  return fc.record({
    files: fc.array(fc.record({ name: anyName(), checksum }), { maxLength: 20 }),
    directories: fc.array(fc.record({ name: anyName(), dirtree: checksum, dirmeta: checksum }), {
      maxLength: 10,
    }),
  });
}

test('the parent of a commit, also one of zeros', () => {
  const readRaw = (commit: string): Buffer =>
    readFileSync(folder.join('repo/objects', commit.slice(0, 2), `${commit.slice(2)}.commit`));
  const make = (...options: string[]): string =>
    execFileSync(
      'ostree',
      [
        'commit',
        `--repo=${folder.join('repo')}`,
        '--orphan',
        `--tree=dir=${folder.join('tree/empty')}`,
        ...options,
      ],
      { encoding: 'utf8' },
    ).trim();
  const first = make();
  expect<string | undefined>(parseParent(readRaw(first))).toBeUndefined();
  expect<string | undefined>(parseParent(readRaw(make(`--parent=${first}`)))).toBe(first);
  expect<string | undefined>(parseParent(readRaw(make(`--parent=${'0'.repeat(64)}`)))).toBe('0'.repeat(64));
});

test.each(['xy', 'abc', `${'0'.repeat(63)}g`])(
  'a checksum that is not hexadecimal is a mistake of the programmer: %p',
  (checksum) => {
    const format = () =>
      formatDirTree({ files: [{ name: 'a', checksum: checksum as Checksum }], directories: [] });
    expect(format).toThrow(new Error(`not hexadecimal: ${checksum}`));
  },
);

test('a commit with a long text in pieces is the same as with the whole text', () => {
  const pieces = fc.array(fc.string({ unit: 'grapheme-ascii' }).map((text) => Buffer.from(text)));
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 3 }), (texts) => {
      const whole = new Map(texts.map((text, index) => [`${index}`, Buffer.concat(text).toString()]));
      const split = new Map<string, string | TextPieces>(
        texts.map((text, index) => [`${index}`, withLength(text)]),
      );
      for (const metadata of [whole, split]) metadata.set('last', 'short');
      const commit = exampleCommit(whole);
      const formatted = formatCommitPieces({ ...commit, metadata: split });
      // Twice, because they are digested before they are written.
      for (const _ of [1, 2]) expect(Buffer.concat([...formatted]).equals(formatCommit(commit))).toBeTrue();
    }),
    { numRuns: 200, seed: SEED },
  );
});

function withLength(text: readonly Buffer[]): TextPieces {
  return { length: Buffer.concat(text).length, [Symbol.iterator]: () => text[Symbol.iterator]() };
}

function formatCommit(commit: Commit): Buffer {
  return Buffer.concat([...formatCommitPieces(commit)]);
}
