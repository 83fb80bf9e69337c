/**
 * Generates the files of a root filesystem: the same on every machine, and like a real one in number, sizes, names and
 * in how well it compresses. Content is cut from two pools at random places, so that making it costs a copy.
 */
import type { TarEntry } from '../test/support/tar-writer.ts';

export interface RootShape {
  readonly files: number;
  readonly folders: number;
  /** All files together; exact to a few bytes for each file. */
  readonly bytes: number;
}

/** The root of the aims: 200 MB, 6,700 files. Its gzip is about 47 % of it. */
export const standardRoot: RootShape = { files: 6_700, folders: 700, bytes: 200_000_000 };

/** A tenth of that. */
export const smallRoot: RootShape = { files: 670, folders: 70, bytes: 20_000_000 };

/** Ten times that of the aims. */
export const largeRoot: RootShape = { files: 67_000, folders: 7_000, bytes: 2_000_000_000 };

export interface RootFile {
  readonly path: string;
  readonly size: number;
  readonly kind: 'text' | 'binary';
}

const SEED = 20160912;
/** Of the logarithm of file sizes, as on an installed system: many small files, most bytes in few large ones. */
const SIZE_SPREAD = 1.5;
const TEXT_SHARE = 0.6;
const POOL_BYTES = 32 * 1024 * 1024;
const TOP_FOLDERS = ['usr/bin', 'usr/lib', 'usr/share', 'usr/libexec', 'etc', 'opt', 'var/lib'];

/** The files in the order of their folders. */
export function generateFiles({ files, folders, bytes }: RootShape): RootFile[] {
  const random = createRandom(SEED);
  const folderPaths = generateFolders(folders, random);
  const weights = Array.from({ length: files }, () => Math.exp(SIZE_SPREAD * nextNormal(random)));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight, index) => {
    const kind = random() < TEXT_SHARE ? 'text' : 'binary';
    const folder = folderPaths[Math.floor((index * folders) / files)];
    const name = `${makeWord(random)}-${index}.${kind === 'text' ? 'conf' : 'so'}`;
    return { path: `${folder}/${name}`, size: Math.round((weight / total) * bytes), kind };
  });
}

/** Cuts the files into layers of these shares of the bytes, base first. */
export function splitFiles(files: readonly RootFile[], shares: readonly number[]): RootFile[][] {
  const total = files.reduce((sum, { size }) => sum + size, 0);
  const limits = shares.map((_, index) => sumOf(shares.slice(0, index + 1)) * total);
  const layers: RootFile[][] = shares.map(() => []);
  let position = 0;
  for (const file of files) {
    const found = limits.findIndex((limit) => position < limit);
    layers.at(found)?.push(file);
    position += file.size;
  }
  return layers;
}

/**
 * The archive entries of `files`, their folders before them.
 *
 * @param version another number gives the same files with other content
 */
export function* buildEntries(files: readonly RootFile[], version = 0): Generator<TarEntry> {
  const random = createRandom(SEED + 1 + version);
  const seen = new Set<string>();
  for (const { path, size, kind } of files) {
    for (const folder of listParents(path)) {
      if (!seen.has(folder)) yield { path: `${folder}/`, type: 'directory' };
      seen.add(folder);
    }
    const offset = Math.floor(random() * POOL_BYTES);
    const mode = kind === 'binary' ? 0o755 : 0o644;
    yield { path, mode, content: { size, chunks: () => cutChunks(pools()[kind], offset, size) } };
  }
}

/** Numbers from 0 to 1 (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}

function generateFolders(count: number, random: () => number): string[] {
  const folders: string[] = [];
  for (let index = 0; index < count; index++) {
    const isDeep = folders.length > TOP_FOLDERS.length && random() < 0.7;
    const parents = isDeep ? folders : TOP_FOLDERS;
    const parent = parents[Math.floor(random() * parents.length)];
    folders.push(`${parent}/${makeWord(random)}${index}`);
  }
  return folders.sort();
}

function listParents(path: string): string[] {
  const names = path.split('/').slice(0, -1);
  return names.map((_, index) => names.slice(0, index + 1).join('/'));
}

function* cutChunks(pool: Uint8Array, offset: number, size: number): Generator<Uint8Array> {
  let position = offset;
  for (let left = size; left > 0; ) {
    const chunk = pool.subarray(position, Math.min(position + left, pool.length));
    yield chunk;
    left -= chunk.length;
    position = 0;
  }
}

let madePools: Record<RootFile['kind'], Uint8Array> | undefined;

function pools(): Record<RootFile['kind'], Uint8Array> {
  madePools ??= { text: makeTextPool(), binary: makeBinaryPool() };
  return madePools;
}

/** Words, the frequent ones far more often than the rare ones, in lines. */
function makeTextPool(): Uint8Array {
  const random = createRandom(SEED + 1_000_001);
  const words = Array.from({ length: 4_096 }, () => makeWord(random));
  const pool = Buffer.alloc(POOL_BYTES);
  for (let position = 0; position < POOL_BYTES; ) {
    const word = words[Math.floor(words.length ** random()) - 1] ?? '';
    position += pool.write(`${word}${random() < 0.1 ? '\n' : ' '}`, position, 'latin1');
  }
  return pool;
}

/** Bytes of which low ones are frequent, and short repetitions, as in machine code. */
function makeBinaryPool(): Uint8Array {
  const random = createRandom(SEED + 1_000_002);
  const pool = Buffer.alloc(POOL_BYTES);
  for (let position = 0; position < POOL_BYTES; ) {
    const length = Math.min(4 + Math.floor(random() * 20), POOL_BYTES - position);
    const back = 1 + Math.floor(random() * 8_192);
    const repeats = random() < 0.5 && back <= position;
    for (let index = 0; index < length; index++, position++) {
      pool[position] = repeats ? (pool[position - back] ?? 0) : Math.floor(256 * random() ** 2);
    }
  }
  return pool;
}

function makeWord(random: () => number): string {
  const length = 3 + Math.floor(random() * 8);
  return Array.from({ length }, () => String.fromCharCode(97 + Math.floor(26 * random() ** 1.5))).join('');
}

/** Standard normal distribution (Box and Muller). */
function nextNormal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
