/**
 * OSTree's metadata objects as data. A commit names a root directory; a dirtree lists the files and folders of one
 * directory by checksum; a dirmeta is a directory's owner, mode and xattrs. Checksums are 64 hex digits.
 */

import { FileType } from '../base/file-mode.ts';
import { CHECKSUM_BYTES, type Checksum, computeChecksum, readChecksum } from '../image/checksum.ts';
import {
  encodeVariant,
  encodeVariantPieces,
  type VariantCodec,
  VariantMalformed,
  variantArray,
  variantBigEndianUint32,
  variantBigEndianUint64,
  variantBoxedString,
  variantBytes,
  variantString,
  variantTuple,
} from './gvariant.ts';
import type { TextPieces } from './variant-writer.ts';

/** A file or symlink in a directory: its name and the checksum of its content object. */
export interface TreeFile {
  readonly name: string;
  readonly checksum: Checksum;
}

/** A directory in a directory. */
export interface TreeDirectory {
  readonly name: string;
  readonly dirtree: Checksum;
  readonly dirmeta: Checksum;
}

/** One dirtree object. Both lists are sorted by the bytes of the names. */
export interface DirTree {
  readonly files: readonly TreeFile[];
  readonly directories: readonly TreeDirectory[];
}

/** An extended attribute; the name ends with a NUL byte. */
export type Xattr = readonly [name: Buffer, value: Buffer];

/** Owner, mode and extended attributes of a file or directory: one dirmeta object. `mode` has the file type bits. */
export interface DirMeta {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
  /** Sorted by the bytes of the names. */
  readonly xattrs: readonly Xattr[];
}

/** One commit object. `metadata` has the values that are strings. */
export interface Commit extends CommitContent {
  readonly metadata: ReadonlyMap<string, string>;
}

/** The parts of a commit object that this program writes. */
export interface CommitContent {
  readonly metadata: ReadonlyMap<string, string | TextPieces>;
  readonly timestamp: Date;
  readonly dirtree: Checksum;
  readonly dirmeta: Checksum;
}

/** Type `ay` of 32 bytes, as hexadecimal digits. */
const checksumCodec: VariantCodec<Checksum> = {
  alignment: variantBytes.alignment,
  fixedSize: variantBytes.fixedSize,
  decode(data, start = 0, end = data.length) {
    const checksum = readChecksum(data, start, end);
    if (checksum === undefined) throw new VariantMalformed(`a checksum that is not ${CHECKSUM_BYTES} bytes`);
    return checksum;
  },
  write: (checksum, out) => out.hex(checksum),
};

const dirTreeCodec = variantTuple(
  variantArray(variantTuple(variantString, checksumCodec)),
  variantArray(variantTuple(variantString, checksumCodec, checksumCodec)),
);
const xattrsCodec = variantArray<Xattr>(variantTuple(variantBytes, variantBytes));
const dirMetaCodec = variantTuple(
  variantBigEndianUint32,
  variantBigEndianUint32,
  variantBigEndianUint32,
  xattrsCodec,
);
const fileHeaderCodec = variantTuple(
  variantBigEndianUint32,
  variantBigEndianUint32,
  variantBigEndianUint32,
  variantBigEndianUint32,
  variantString,
  xattrsCodec,
);
const commitCodec = variantTuple(
  variantArray(variantTuple(variantString, variantBoxedString)),
  variantBytes,
  variantArray(variantTuple(variantString, variantBytes)),
  variantString,
  variantString,
  variantBigEndianUint64,
  checksumCodec,
  checksumCodec,
);

/** @throws VariantMalformed when `data` is not a dirtree object */
export function parseDirTree(data: Buffer): DirTree {
  const [files, directories] = dirTreeCodec.decode(data);
  return {
    files: files.map(([name, checksum]) => ({ name, checksum })),
    directories: directories.map(([name, dirtree, dirmeta]) => ({ name, dirtree, dirmeta })),
  };
}

export function formatDirTree(tree: DirTree): Buffer {
  return encodeVariant(dirTreeCodec, [
    tree.files.map<[string, Checksum]>(({ name, checksum }) => [name, checksum]),
    tree.directories.map<[string, Checksum, Checksum]>(({ name, dirtree, dirmeta }) => [
      name,
      dirtree,
      dirmeta,
    ]),
  ]);
}

/** @throws VariantMalformed when `data` is not a dirmeta object */
export function parseDirMeta(data: Buffer): DirMeta {
  const [uid, gid, mode, xattrs] = dirMetaCodec.decode(data);
  return { uid, gid, mode, xattrs };
}

export function formatDirMeta(meta: DirMeta): Buffer {
  return encodeVariant(dirMetaCodec, [meta.uid, meta.gid, meta.mode, meta.xattrs]);
}

const LENGTH_PREFIX_BYTES = 8;

/**
 * Formats the header of a content object. The checksum covers the header and then the content. Repositories of the modes
 * `bare` and `bare-user` do not store it.
 *
 * @param target target of a symlink, which has no content; `''` for a file
 */
export function formatFileHeader({ uid, gid, mode, xattrs }: DirMeta, target: string): Buffer {
  const noDevice = 0;
  const header = encodeVariant(fileHeaderCodec, [uid, gid, mode, noDevice, target, xattrs]);
  const prefix = Buffer.alloc(LENGTH_PREFIX_BYTES);
  prefix.writeUInt32BE(header.length);
  return Buffer.concat([prefix, header]);
}

/** @throws VariantMalformed when `data` is not a commit object */
export function parseCommit(data: Buffer): Commit {
  const [metadata, , , , , timestamp, dirtree, dirmeta] = commitCodec.decode(data);
  return {
    metadata: new Map(metadata.filter(isString)),
    timestamp: toDate(timestamp),
    dirtree,
    dirmeta,
  };
}

function isString(entry: readonly [string, unknown]): entry is [string, string] {
  return typeof entry[1] === 'string';
}

/**
 * Reads the checksum of the parent commit. Images of the original tool have a parent of zeros, which does not exist
 * (compatibility S-05).
 *
 * @returns `undefined` for a commit without parent
 * @throws VariantMalformed when `data` is not a commit object
 */
export function parseParent(data: Buffer): Checksum | undefined {
  const [, parent] = commitCodec.decode(data);
  return parent.length === 0 ? undefined : checksumCodec.decode(parent);
}

function toDate(seconds: bigint): Date {
  const date = new Date(Number(seconds) * 1000);
  if (Number.isNaN(date.getTime())) throw new VariantMalformed('a time that is out of range');
  return date;
}

/**
 * Formats a commit without parent, subject and body (compatibility S-05: the original wrote a parent of zeros, about which
 * `ostree fsck` and `ostree log` complain).
 *
 * @returns the data in pieces, see `TextPieces`
 */
export function formatCommitPieces({
  metadata,
  timestamp,
  dirtree,
  dirmeta,
}: CommitContent): Iterable<Buffer> {
  const seconds = BigInt(Math.floor(timestamp.getTime() / 1000));
  const noParent = Buffer.alloc(0);
  return encodeVariantPieces(commitCodec, [[...metadata], noParent, [], '', '', seconds, dirtree, dirmeta]);
}

const plainMeta: DirMeta = { uid: 0, gid: 0, mode: FileType.directory | 0o755, xattrs: [] };
const plainData = formatDirMeta(plainMeta);

/** The dirmeta object of a directory that no archive describes: owner 0:0, mode 0755, no xattrs. */
export const plainDirectory = {
  meta: plainMeta,
  data: plainData,
  checksum: computeChecksum(plainData),
} as const;
