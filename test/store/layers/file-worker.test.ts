/** Files that the worker creates: the same as those of the main thread, and the same errors. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { existsSync, lstatSync, mkdirSync, readdirSync, rmdirSync } from 'node:fs';
import { basename } from 'node:path';
import { FileType } from '../../../src/base/file-mode.ts';
import { withRepository } from '../../../src/ostree/repository.ts';
import { FileWorker } from '../../../src/store/layer/file-worker.ts';
import { ObjectStage } from '../../../src/store/layer/object-stage.ts';
import { type Registry, startRegistry } from '../../support/registry.ts';
import { checkRepository, listFileObjects } from '../../support/store/ostree-cli.ts';
import { checkOut, createStore, pullLayers, TEST_TIMEOUT_MS } from '../../support/store/store-fixture.ts';
import type { TarEntry } from '../../support/tar-writer.ts';
import { tree } from '../../support/tree.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

let registry: Registry;
beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(() => registry.stop());

const MODES = [0o644, 0o755, 0o600, 0o444, 0, 0o4755, 0o2711, 0o1777, 0o666];

/** More than one batch by number and by size. Every third file has the content of another one. */
const files: readonly (TarEntry & { readonly content: string })[] = Array.from(
  { length: 1100 },
  (_, index) => ({
    path: `usr/${index % 20}/${index}`,
    mode: MODES[index % MODES.length] ?? 0,
    uid: index % 4 === 3 ? 1000 : 0,
    gid: index % 5 === 4 ? 4_294_967_294 : 0,
    content: `${index % 3 === 0 ? index % 7 : index} `.repeat(index % 50 === 0 ? 30_000 : index % 40),
  }),
);
const attributes = tree`
  f usr/attributes 0644 @5:6 text
  x usr/attributes user.origin=test
`;

test.each(['bare', 'bare-user'] as const)('in the mode %s each has what the archive says', async (mode) => {
  await using store = await createStore([registry], { repositoryMode: mode });
  const before = process.umask(0o077);
  try {
    const pulled = await pullLayers(store, registry, [[...files, ...attributes]]);
    // Compares each object with its checksum, which covers the owner, the mode and the attributes.
    checkRepository(store);
    const objects = listFileObjects(store);
    expect(objects.map((path) => lstatSync(path).mtimeMs)).toEqual(objects.map(() => 0));
    const root = await checkOut(store, pulled);
    if (mode === 'bare')
      expect(files.map(({ path }) => describe(`${root}/${path}`))).toEqual(files.map(expected));
    expect(
      readdirSync(`${store.locations.repository}/tmp`).filter((name) => name.startsWith('staging')),
    ).toEqual([]);
  } finally {
    process.umask(before);
  }
});

function describe(path: string): unknown {
  const { uid, gid, mode, size } = lstatSync(path);
  return [basename(path), uid, gid, mode & 0o7777, size];
}

function expected({ path, uid, gid, mode, content }: (typeof files)[number]): unknown {
  return [basename(path), uid, gid, mode, content.length];
}

/** A stage in a transaction that is aborted. */
async function withStage(
  room: number,
  action: (stage: ObjectStage, staging: string, worker: FileWorker) => Promise<void>,
): Promise<void> {
  await using store = await createStore([registry]);
  await withRepository(store.host, async (repo) => {
    const { abortTransaction, beginTransaction } = await import('../../../src/native/ostree.ts');
    beginTransaction(repo);
    using worker = new FileWorker();
    const stage = new ObjectStage(store.locations, room, worker);
    const tmp = `${store.locations.repository}/tmp`;
    const staging = readdirSync(tmp).find((name) => name.startsWith('staging-') && !name.endsWith('-lock'));
    await action(stage, `${tmp}/${staging}`, worker);
    abortTransaction(repo);
  });
}

const SIZE = 300_000;

/** Writes different files of `SIZE` bytes. @returns their checksums */
function writeFiles(stage: ObjectStage, count: number): string[] {
  return Array.from({ length: count }, (_, index) => {
    const writer = stage.beginFile({ uid: 0, gid: 0, mode: FileType.file | 0o644, xattrs: [] });
    writer.write(Buffer.alloc(SIZE, `${index} `));
    return writer.finish();
  });
}

function listStaged(staging: string): string[] {
  const names = readdirSync(staging, { recursive: true, encoding: 'utf8' });
  return names
    .filter((name) => name.endsWith('.file'))
    .map((name) => name.replace('/', '').replace('.file', ''));
}

test('more content than may be on its way is written at once', async () => {
  await withStage(100_000_000, async (stage, staging) => {
    const checksums = writeFiles(stage, 60);
    await stage.finish();
    expect(listStaged(staging).sort()).toEqual(checksums.sort());
  });
});

test('a few files need no second thread, and are there before the stage is finished', async () => {
  await withStage(100_000_000, async (stage, staging, worker) => {
    const checksums = writeFiles(stage, 3);
    await stage.finish();
    expect(worker.isStarted).toBe(false);
    expect(listStaged(staging).sort()).toEqual(checksums.sort());
  });
});

test('a failed call is the error, with its name, its path and its code', async () => {
  await withStage(100_000_000, async (stage, staging) => {
    const path = `${staging}/atomic-object-batched`;
    mkdirSync(path);
    writeFiles(stage, 10);
    const error: unknown = await stage.finish().catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      code: 'EEXIST',
      syscall: 'open',
      path,
      message: expect.stringMatching(/^EEXIST: /),
    });
    // Later calls fail too.
    expect(await stage.settle().catch((caught: unknown) => caught)).toBe(error);
    rmdirSync(path);
    await stage.end();
  });
});

test('content beyond the room is NO_SPACE, and leaves no part of a file', async () => {
  await withStage(7 * SIZE + 1, async (stage, staging) => {
    writeFiles(stage, 10);
    expect(stage.finish()).rejects.toMatchObject({
      code: 'NO_SPACE',
      message: expect.stringMatching(/^No space left/),
    });
    await stage.end();
    expect(listStaged(staging).length).toBe(7);
    expect(readdirSync(staging).filter((name) => name.startsWith('atomic-object'))).toEqual([]);
  });
});

test('a stage that is given up creates no further file', async () => {
  await withStage(100_000_000, async (stage, staging) => {
    writeFiles(stage, 20);
    await stage.end();
    const { length } = listStaged(staging);
    expect(length).toBeLessThan(20);
    expect(existsSync(`${staging}/atomic-object-batched`)).toBe(false);
    await Bun.sleep(50);
    expect(listStaged(staging).length).toBe(length);
  });
});

test('files that are lost with the worker are a failure', async () => {
  await withStage(100_000_000, async (stage, _, worker) => {
    writeFiles(stage, 10);
    worker[Symbol.dispose]();
    expect(stage.finish()).rejects.toThrow('the thread that writes files has ended');
  });
});
