/**
 * Lines of a tar-split record: everything of an archive that is needed to rebuild it from the files of its tree. The format
 * is that of vbatts/tar-split, which the tools of containers/image use; they wrote the records of older repositories.
 */
import { isJsonObject, parseJson } from '../base/json-text.ts';
import type { DataArea } from './sparse-map.ts';

/** A key of this program: the areas of a sparse file. Other readers ignore it, and report a wrong checksum for the file. */
export const AREAS_KEY = 'atomic_areas';

export type TarSplitEntry =
  /** Bytes of the archive: headers, padding, and everything after the last entry. */
  | { readonly kind: 'frame'; readonly bytes: Buffer }
  /** The place of a file's content. An entry without content has the size 0. */
  | {
      readonly kind: 'file';
      /** Name as in the archive; bytes that are not UTF-8 are replaced. */
      readonly name: string;
      readonly size: number;
      /** Places of the bytes in the file; `undefined` when they are the whole file. */
      readonly areas: readonly DataArea[] | undefined;
      /** CRC-64 of the content in big-endian order; empty when there is none. */
      readonly checksum: Buffer;
    };

/** The record does not have the format of tar-split. */
export class TarSplitMalformed extends Error {
  constructor(reason: string) {
    super(`malformed tar-split record: ${reason}`);
    this.name = 'TarSplitMalformed';
  }
}

const FILE_ENTRY = 1;
const SEGMENT_ENTRY = 2;

/** @throws TarSplitMalformed */
export function parseTarSplitLine(line: string): TarSplitEntry {
  const { type, payload, size = 0, [AREAS_KEY]: areas, ...names } = parseLine(line);
  const bytes = readBase64(payload ?? '');
  if (type === SEGMENT_ENTRY) return { kind: 'frame', bytes };
  if (type !== FILE_ENTRY) throw new TarSplitMalformed(`an entry of the type ${JSON.stringify(type)}`);
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw new TarSplitMalformed('a size that is no number');
  }
  return { kind: 'file', name: readName(names), size, areas: readAreas(areas, size), checksum: bytes };
}

function readAreas(value: unknown, size: number): readonly DataArea[] | undefined {
  if (value === undefined) return undefined;
  const isList = Array.isArray(value) && value.every(isArea);
  if (!isList || value.reduce((sum, [, length]) => sum + length, 0) !== size) {
    throw new TarSplitMalformed('areas that do not fit');
  }
  return value;
}

function isArea(value: unknown): value is DataArea {
  return (
    Array.isArray(value) &&
    value.length === 2 &&
    value.every((part) => Number.isSafeInteger(part) && part >= 0)
  );
}

function parseLine(line: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = parseJson(line);
  } catch (error) {
    if (error instanceof SyntaxError) throw new TarSplitMalformed('a line that is not JSON');
    throw error;
  }
  if (!isJsonObject(value)) throw new TarSplitMalformed('a line that is not an object');
  return value;
}

/** `name_raw` has a name that is not UTF-8. */
function readName({ name, name_raw: raw }: Record<string, unknown>): string {
  if (raw !== undefined && raw !== null) return readBase64(raw).toString('utf8');
  return typeof name === 'string' ? name : '';
}

function readBase64(value: unknown): Buffer {
  if (typeof value !== 'string') throw new TarSplitMalformed('bytes that are not base64');
  return Buffer.from(value, 'base64');
}
