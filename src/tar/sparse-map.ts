/**
 * Sparse files in POSIX archives, as GNU tar writes them (GNU tar manual, "Storing Sparse Files"): the archive has only the
 * areas with data, one after another, and a map of their places in the file. Versions 0.0 and 0.1 have the map in the
 * extended header, version 1.0 at the beginning of the content. Sparse files of other programs are refused.
 */
import { layerRejected, Refusal } from './layer-rejected.ts';
import { TAR_BLOCK_BYTES } from './tar-header.ts';

/** A part of a file whose bytes are in the archive; both numbers in bytes. */
export type DataArea = readonly [offset: number, length: number];

/** The areas of a file, in order. Everything between them is zeros. */
export interface SparseMap {
  readonly size: number;
  readonly areas: readonly DataArea[];
}

/** The result of the extended header: the map, or the fact that the map is in the content. */
export type SparseHeader =
  | { readonly kind: 'map'; readonly name: Buffer | undefined; readonly map: SparseMap }
  | { readonly kind: 'map in content'; readonly name: Buffer | undefined; readonly size: number };

const PREFIX = 'GNU.sparse.';
const FOREIGN = ['SCHILY.realsize', 'SUN.holesdata'];
const KNOWN = ['major', 'minor', 'name', 'size', 'realsize', 'numblocks', 'map'];
/** Limit of a map in the content, as in other readers. The limit of headers bounds the other maps. */
const MAX_MAP_BYTES = 1024 * 1024;
const NEWLINE = 0x0a;

/**
 * @returns `undefined` for a file that is not sparse
 * @throws Refusal
 */
export function readSparseHeader(pax: ReadonlyMap<string, Buffer> | undefined): SparseHeader | undefined {
  const fields = new Map<string, Buffer>();
  for (const [key, value] of pax ?? []) {
    if (FOREIGN.includes(key)) throw new Refusal('a sparse file that is not in the format of GNU tar');
    if (!key.startsWith(PREFIX)) continue;
    const field = key.slice(PREFIX.length);
    if (!KNOWN.includes(field)) throw new Refusal(`a sparse file with the record ${JSON.stringify(key)}`);
    fields.set(field, value);
  }
  if (fields.size === 0) return undefined;
  const name = fields.get('name');
  if (name?.length === 0) throw new Refusal('a sparse file without name');
  const version = `${fields.get('major') ?? '0'}.${fields.get('minor') ?? '?'}`;
  if (version === '1.0') {
    if (['size', 'map', 'numblocks'].some((field) => fields.has(field)))
      throw new Refusal('a sparse file with two maps');
    return { kind: 'map in content', name, size: readNumber(fields.get('realsize')) };
  }
  if (!['0.?', '0.0', '0.1'].includes(version)) throw new Refusal(`a sparse file of the version ${version}`);
  if (fields.has('realsize')) throw new Refusal('a sparse file with two sizes');
  const text = fields.get('map')?.toString('latin1') ?? '';
  const numbers = text === '' ? [] : text.split(',').map((number) => readNumber(Buffer.from(number)));
  if (numbers.length !== 2 * readNumber(fields.get('numblocks')))
    throw new Refusal('a sparse file whose map has a wrong number of areas');
  return { kind: 'map', name, map: buildMap(readNumber(fields.get('size')), numbers) };
}

/** @throws Refusal when the areas do not hold exactly the bytes that the archive has */
export function requireFitting({ areas }: SparseMap, stored: number): void {
  const sum = areas.reduce((total, [, length]) => total + length, 0);
  if (sum !== stored) throw new Refusal(`a sparse file with ${stored} bytes of content for ${sum}`);
}

/**
 * Reads the map at the beginning of the content: the number of areas, then the offset and the length of each, each on a line
 * of its own, padded to a whole block.
 *
 * @param data the content from its beginning, as far as it has been read
 * @param stored length of the whole content in bytes
 * @param offset place in the archive in bytes, for the message
 * @returns the map and its length in bytes; `undefined` when `data` does not have all of it yet
 * @throws AtomicError LAYER_REJECTED
 */
export function readContentMap(
  data: Buffer,
  size: number,
  stored: number,
  offset: number,
): { readonly map: SparseMap; readonly bytes: number } | undefined {
  try {
    const text = data.subarray(0, Math.min(stored, MAX_MAP_BYTES));
    const lines = readLines(text);
    if (lines !== undefined) {
      const bytes = Math.ceil(lines.bytes / TAR_BLOCK_BYTES) * TAR_BLOCK_BYTES;
      if (bytes > stored) throw new Refusal('a sparse file with an incomplete map');
      if (data.length < bytes) return undefined;
      const map = buildMap(size, lines.numbers);
      requireFitting(map, stored - bytes);
      return { map, bytes };
    }
    if (text.length === stored || text.length === MAX_MAP_BYTES)
      throw new Refusal('a sparse file with an incomplete map');
    return undefined;
  } catch (error) {
    throw error instanceof Refusal ? layerRejected(error.message, offset) : error;
  }
}

/** @returns `undefined` when the last line is incomplete */
function readLines(
  text: Buffer,
): { readonly numbers: readonly number[]; readonly bytes: number } | undefined {
  const numbers: number[] = [];
  let at = 0;
  for (let wanted = 1; numbers.length < wanted; ) {
    const end = text.indexOf(NEWLINE, at);
    if (end < 0) return undefined;
    const number = readNumber(text.subarray(at, end));
    numbers.push(number);
    if (numbers.length === 1) wanted = 1 + 2 * number;
    at = end + 1;
  }
  return { numbers: numbers.slice(1), bytes: at };
}

/** GNU tar writes an area of length 0 for a hole at the end. Readers disagree about a file without areas, so it is refused. */
function buildMap(size: number, numbers: readonly number[]): SparseMap {
  if (numbers.length === 0) throw new Refusal('a sparse file without areas');
  const areas: DataArea[] = [];
  let end = 0;
  for (let index = 0; index < numbers.length; index += 2) {
    const [offset = 0, length = 0] = numbers.slice(index, index + 2);
    if (offset < end || offset + length > size) throw new Refusal('a sparse file whose areas do not fit');
    areas.push([offset, length]);
    end = offset + length;
  }
  return { size, areas };
}

function readNumber(value: Buffer | undefined): number {
  const text = value?.toString('latin1') ?? '';
  if (!/^[0-9]{1,15}$/.test(text)) throw new Refusal('a sparse file with a malformed number');
  return Number(text);
}
