/**
 * Reads the list of images in an archive, and checks that the archive is complete: the messages of skopeo about
 * incomplete archives do not name the fault.
 */

import { AtomicError } from '../../base/errors.ts';
import { toPrintable } from '../../base/printable.ts';
import type { Host } from '../../host/host.ts';
import { throwIfInterrupted } from '../../host/interruption.ts';
import { MAX_MANIFEST_BYTES } from '../../image/manifest.ts';
import { parseTarHeader, TAR_BLOCK_BYTES, type TarHeader } from '../../tar/tar-header.ts';
import { archiveInvalid, toInflateError } from '../failures/file-failure.ts';
import { type ByteReader, openByteReader } from './byte-reader.ts';

interface ArchiveMember {
  readonly isCompressed: boolean;
  /** Text of the requested file; `undefined` when the archive does not have it. */
  readonly text: string | undefined;
}

interface ArchiveRequest {
  /** Absolute path of the archive. */
  readonly path: string;
  /** Name of the file to read, such as `manifest.json`. */
  readonly member: string;
  /** Called for each other entry. */
  readonly watch: (header: TarHeader, content: MemberContent) => Promise<void>;
}

/** The content of an entry. The caller uses one of the two methods, or neither to skip it. */
interface MemberContent {
  /** @throws AtomicError ARCHIVE_INVALID above 1 MiB */
  read(): Promise<Buffer>;
  /** The caller reads them to the end. */
  pieces(): AsyncGenerator<Buffer>;
}

/** Limit of a header of extended attributes. */
const MAX_EXTENDED_BYTES = 1024 * 1024;
const CHUNK_BYTES = 1024 * 1024;

/**
 * Reads all entries of a tar archive, plain or gzip. A gzip file is read to its end, which verifies its checksum.
 *
 * @throws AtomicError ARCHIVE_INVALID when the file is not an archive or ends too early; errors of `open`
 */
export async function readArchiveMember(host: Host, request: ArchiveRequest): Promise<ArchiveMember> {
  const { path } = request;
  const reader = await openByteReader(path);
  try {
    const text = await findMember(host, reader, request);
    if (reader.isCompressed) await readToEnd(host, reader);
    return { isCompressed: reader.isCompressed, text };
  } catch (error) {
    throw toInflateError(error, path);
  } finally {
    await reader.close();
  }
}

async function findMember(
  host: Host,
  reader: ByteReader,
  request: ArchiveRequest,
): Promise<string | undefined> {
  const { path, member, watch } = request;
  let text: string | undefined;
  for (let offset = 0; ; ) {
    throwIfInterrupted(host);
    const block = await reader.read(TAR_BLOCK_BYTES);
    if (block.length === 0 && offset > 0) return text;
    if (block.length < TAR_BLOCK_BYTES) throw offset === 0 ? notAnArchive(path, block) : cutShort(path);
    const header = readHeader(block, offset, path);
    if (header === undefined) return text;
    const padded = Math.ceil(header.size / TAR_BLOCK_BYTES) * TAR_BLOCK_BYTES;
    const name = normalise(header.name.toString('utf8'));
    let isRead = false;
    const pieces = async function* (): AsyncGenerator<Buffer> {
      isRead = true;
      for (let left = padded; left > 0; left -= CHUNK_BYTES) {
        throwIfInterrupted(host);
        const wanted = Math.min(left, CHUNK_BYTES);
        const piece = await reader.read(wanted);
        if (piece.length < wanted) throw cutShort(path);
        yield piece.subarray(0, Math.max(0, header.size - (padded - left)));
      }
    };
    const content = async (maxBytes: number): Promise<Buffer> => {
      if (header.size > maxBytes) {
        throw archiveInvalid(
          path,
          `'${toPrintable(name, 80)}' has ${header.size} bytes, more than ${maxBytes}`,
        );
      }
      isRead = true;
      const data = await reader.read(padded);
      if (data.length < padded) throw cutShort(path);
      return data.subarray(0, header.size);
    };
    if (header.type === '0' && name === member) {
      text = (await content(MAX_MANIFEST_BYTES)).toString('utf8');
    } else {
      await watch(header, { read: () => content(MAX_EXTENDED_BYTES), pieces });
    }
    if (!isRead && !(await reader.skip(padded))) throw cutShort(path);
    offset += TAR_BLOCK_BYTES + padded;
  }
}

/** Reads the padding after the end of the tar archive, and gzip's checksum, which covers the whole file. */
async function readToEnd(host: Host, reader: ByteReader): Promise<void> {
  while ((await reader.read(CHUNK_BYTES)).length > 0) throwIfInterrupted(host);
}

function normalise(name: string): string {
  return name.replace(/^(?:\.\/)+/, '');
}

function readHeader(block: Buffer, offset: number, path: string): TarHeader | undefined {
  try {
    return parseTarHeader(block, offset);
  } catch (error) {
    if (!(error instanceof AtomicError)) throw error;
    throw offset === 0 ? notAnArchive(path, block) : archiveInvalid(path, `no tar header at byte ${offset}`);
  }
}

/**
 * Checks an entry of an OCI archive. skopeo unpacks it, so no entry may lead out of its folder.
 *
 * @returns the problem with the entry; `undefined` when there is none
 */
export async function findLayoutProblem(
  { type, name }: TarHeader,
  content: MemberContent,
): Promise<string | undefined> {
  const text = name.toString('utf8');
  const shown = toPrintable(text, 80);
  if (type === 'x' || type === 'g') {
    return / (?:path|linkpath)=/.test((await content.read()).toString('latin1'))
      ? 'its name is longer than names in a layout are'
      : undefined;
  }
  if (type !== '0' && type !== '5') return `'${shown}' is neither a file nor a folder`;
  const leadsOut = text.startsWith('/') || text.split('/').includes('..');
  return leadsOut ? `the name '${shown}' leads out of it` : undefined;
}

/** Compressors other than gzip that tar supports, by the first bytes of their files in latin1. */
const OTHER_COMPRESSORS = [
  { program: 'bzip2', magic: 'BZh' },
  { program: 'xz', magic: '\xfd7zXZ\0' },
  { program: 'zstd', magic: '\x28\xb5\x2f\xfd' },
];

function notAnArchive(path: string, start: Buffer): AtomicError {
  const text = start.toString('latin1');
  const program = OTHER_COMPRESSORS.find(({ magic }) => text.startsWith(magic))?.program;
  if (program !== undefined) {
    const hint = `Decompress it first: ${program} -dc ${toPrintable(path)} > image.tar`;
    return archiveInvalid(path, `it is compressed with ${program}; only gzip is read`, hint);
  }
  return archiveInvalid(path, 'it is not a tar archive, plain or gzip');
}

function cutShort(path: string): AtomicError {
  return archiveInvalid(path, 'it is cut short');
}
