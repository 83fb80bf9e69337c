/**
 * Writes tar archives in the POSIX ustar format with PAX and GNU extensions. Unlike a tool for users it also writes
 * archives that no honest program makes: every header field can be replaced after the header is complete.
 */

export type TarEntryType = 'file' | 'directory' | 'symlink' | 'hardlink' | 'char' | 'block' | 'fifo';

/** Fields written over the finished header, for archives that lie. */
export interface RawTarHeader {
  /** The 100 bytes of the name field: cut or padded with NUL, never moved to an extension. */
  readonly name?: string | Uint8Array;
  /** The 100 bytes of the link name field. */
  readonly linkName?: string | Uint8Array;
  /** The text of the size field (11 octal digits in an honest header). */
  readonly size?: string;
  /** The text of the checksum field, instead of the sum of the header. */
  readonly checksum?: string;
  /** The type flag, one character. */
  readonly typeFlag?: string;
  /** The magic and version, `ustar\0` + `00` in an honest header. */
  readonly magic?: string;
}

export interface TarEntry {
  /** Written as it is: no normalising, no check. */
  readonly path: string;
  /** Default `file`. */
  readonly type?: TarEntryType;
  /** Permission bits; default 0644, directories 0755. */
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** Epoch seconds; a fraction or a negative number goes to PAX. Default 2016-09-12. */
  readonly mtime?: number;
  /** Content of a file. A function makes large content while it is written; `size` is its length in bytes. */
  readonly content?:
    | string
    | Uint8Array
    | { readonly size: number; readonly chunks: () => Iterable<Uint8Array> };
  /** Target of a symlink or hard link. */
  readonly linkName?: string;
  /** Extended attributes, full names (`user.x`, `security.capability`). */
  readonly xattrs?: Readonly<Record<string, string | Uint8Array>>;
  /** Numbers of a char or block device. */
  readonly device?: { readonly major: number; readonly minor: number };
  /** More PAX records, or other values for those that would be written. */
  readonly pax?: Readonly<Record<string, string | Uint8Array>>;
  /** How names above 100 bytes are written; default `pax`. `gnu` writes `L` and `K` entries. */
  readonly longNames?: 'pax' | 'gnu';
  /** How numbers are written: `base256` is GNU's form for every number; default octal, large ones in PAX. */
  readonly numbers?: 'octal' | 'base256';
  readonly raw?: RawTarHeader;
}

export interface TarOptions {
  /**
   * `complete`: two zero blocks at the end. `no-trailer`: they are missing. `unpadded`: they are missing and so is the
   * padding after the last file, as umoci wrote archives. Default `complete`.
   */
  readonly ending?: 'complete' | 'no-trailer' | 'unpadded';
}

/** 2016-09-12 00:00 UTC: archives of the same entries are equal byte for byte. */
export const DEFAULT_MTIME = 1_473_638_400;

const BLOCK = 512;
const NAME_BYTES = 100;
const typeFlags: Readonly<Record<TarEntryType, string>> = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  char: '3',
  block: '4',
  directory: '5',
  fifo: '6',
};

export function buildTar(entries: Iterable<TarEntry>, options: TarOptions = {}): Buffer<ArrayBuffer> {
  return Buffer.concat([...tarChunks(entries, options)]);
}

/** The archive piece by piece, for content that should not be in memory as a whole. */
export function* tarChunks(entries: Iterable<TarEntry>, options: TarOptions = {}): Generator<Uint8Array> {
  let padding = 0;
  for (const entry of entries) {
    if (padding > 0) yield Buffer.alloc(padding);
    const { size, chunks } = contentOf(entry);
    yield* headerBlocks(entry, size);
    yield* chunks();
    padding = paddingAfter(size);
  }
  const ending = options.ending ?? 'complete';
  if (ending !== 'unpadded' && padding > 0) yield Buffer.alloc(padding);
  if (ending === 'complete') yield Buffer.alloc(2 * BLOCK);
}

function contentOf({ content }: TarEntry): { size: number; chunks: () => Iterable<Uint8Array> } {
  if (content === undefined) return { size: 0, chunks: () => [] };
  if (typeof content === 'object' && 'chunks' in content) return content;
  const bytes = toBytes(content);
  return { size: bytes.length, chunks: () => [bytes] };
}

/** The blocks before the content: extension entries, then the header. */
function* headerBlocks(entry: TarEntry, size: number): Generator<Buffer> {
  const records = paxRecords(entry, size);
  if (records.length > 0)
    yield* extensionEntry('x', 'PaxHeaders/entry', Buffer.concat(records.map(paxRecord)));
  if (entry.longNames === 'gnu') {
    if (isLong(entry.linkName)) yield* extensionEntry('K', '././@LongLink', terminated(entry.linkName));
    if (isLong(entry.path)) yield* extensionEntry('L', '././@LongLink', terminated(entry.path));
  }
  const type = entry.type ?? 'file';
  yield header({
    name: toBytes(entry.path),
    linkName: toBytes(entry.linkName ?? ''),
    mode: entry.mode ?? (type === 'directory' ? 0o755 : 0o644),
    uid: entry.uid ?? 0,
    gid: entry.gid ?? 0,
    size,
    mtime: Math.max(0, Math.trunc(entry.mtime ?? DEFAULT_MTIME)),
    typeFlag: typeFlags[type],
    major: entry.device?.major ?? 0,
    minor: entry.device?.minor ?? 0,
    base256: entry.numbers === 'base256',
    raw: entry.raw ?? {},
  });
}

function* extensionEntry(typeFlag: string, name: string, data: Buffer): Generator<Buffer> {
  yield header({
    ...{ name: toBytes(name), linkName: Buffer.alloc(0), mode: 0o644, uid: 0, gid: 0, size: data.length },
    ...{ mtime: 0, typeFlag, major: 0, minor: 0, base256: false, raw: {} },
  });
  yield data;
  yield Buffer.alloc(paddingAfter(data.length));
}

const LARGEST_OCTAL_ID = 0o7777777;
const LARGEST_OCTAL_SIZE = 0o77777777777;

/** Values that do not fit into the header or have no field there. */
function paxRecords(entry: TarEntry, size: number): (readonly [string, Uint8Array])[] {
  const records = new Map<string, string | Uint8Array>();
  if (entry.longNames !== 'gnu') {
    if (isLong(entry.path)) records.set('path', entry.path);
    if (isLong(entry.linkName)) records.set('linkpath', entry.linkName);
  }
  if (entry.numbers !== 'base256') {
    if ((entry.uid ?? 0) > LARGEST_OCTAL_ID) records.set('uid', String(entry.uid));
    if ((entry.gid ?? 0) > LARGEST_OCTAL_ID) records.set('gid', String(entry.gid));
    if (size > LARGEST_OCTAL_SIZE) records.set('size', String(size));
  }
  const mtime = entry.mtime ?? 0;
  if (!Number.isInteger(mtime) || mtime < 0) records.set('mtime', String(mtime));
  for (const [name, value] of Object.entries(entry.xattrs ?? {})) records.set(`SCHILY.xattr.${name}`, value);
  for (const [key, value] of Object.entries(entry.pax ?? {})) records.set(key, value);
  return [...records].map(([key, value]) => [key, toBytes(value)] as const);
}

/** `LENGTH KEY=VALUE\n`, where LENGTH counts its own digits too. */
function paxRecord([key, value]: readonly [string, Uint8Array]): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from('\n')]);
  let digits = 1;
  while (String(rest.length + digits).length > digits) digits++;
  return Buffer.concat([Buffer.from(String(rest.length + digits)), rest]);
}

interface HeaderFields {
  readonly name: Uint8Array;
  readonly linkName: Uint8Array;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: number;
  readonly typeFlag: string;
  readonly major: number;
  readonly minor: number;
  readonly base256: boolean;
  readonly raw: RawTarHeader;
}

function header(fields: HeaderFields): Buffer {
  const block = Buffer.alloc(BLOCK);
  const write = (offset: number, length: number, value: string | Uint8Array): void => {
    block.fill(0, offset, offset + length);
    block.set(toBytes(value).subarray(0, length), offset);
  };
  const number = (offset: number, length: number, value: number, largest: number): void =>
    write(
      offset,
      length,
      fields.base256 ? base256(value, length) : octal(value > largest ? 0 : value, length),
    );

  write(0, NAME_BYTES, fields.raw.name ?? fields.name);
  number(100, 8, fields.mode, LARGEST_OCTAL_ID);
  number(108, 8, fields.uid, LARGEST_OCTAL_ID);
  number(116, 8, fields.gid, LARGEST_OCTAL_ID);
  number(124, 12, fields.size, LARGEST_OCTAL_SIZE);
  if (fields.raw.size !== undefined) write(124, 12, fields.raw.size);
  number(136, 12, fields.mtime, LARGEST_OCTAL_SIZE);
  write(156, 1, fields.raw.typeFlag ?? fields.typeFlag);
  write(157, NAME_BYTES, fields.raw.linkName ?? fields.linkName);
  write(257, 8, fields.raw.magic ?? 'ustar\x0000');
  number(329, 8, fields.major, LARGEST_OCTAL_ID);
  number(337, 8, fields.minor, LARGEST_OCTAL_ID);
  write(148, 8, ' '.repeat(8));
  write(
    148,
    8,
    fields.raw.checksum ??
      `${octal(
        block.reduce((sum, byte) => sum + byte, 0),
        7,
      )} `,
  );
  return block;
}

/** Octal digits and a final NUL, `length` bytes together. */
function octal(value: number, length: number): string {
  return `${value.toString(8).padStart(length - 1, '0')}\0`;
}

/** GNU's binary form: the top bit of the first byte set, then the number, most significant byte first. */
function base256(value: number, length: number): Buffer {
  const field = Buffer.alloc(length);
  field.writeUIntBE(value, length - 6, 6);
  field[0] = 0x80;
  return field;
}

function isLong(name: string | undefined): name is string {
  return name !== undefined && Buffer.byteLength(name) > NAME_BYTES;
}

function terminated(name: string): Buffer {
  return Buffer.from(`${name}\0`);
}

function paddingAfter(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

function toBytes(value: string | Uint8Array): Uint8Array {
  return typeof value === 'string' ? Buffer.from(value) : value;
}
