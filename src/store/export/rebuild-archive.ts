/**
 * Rebuilds a layer's uncompressed archive byte for byte: the frame from the record that was made when the layer was stored,
 * the content of the files from their objects. The archive is a stream: memory does not grow with the layer, and nothing is
 * written to the disk.
 */

import { closeSync, readSync } from 'node:fs';
import { AtomicError } from '../../base/errors.ts';
import { toPrintable } from '../../base/printable.ts';
import type { Host } from '../../host/host.ts';
import { throwIfInterrupted } from '../../host/interruption.ts';
import type { Checksum } from '../../image/checksum.ts';
import { algorithmOf, type Digest, finishDigest } from '../../image/digest.ts';
import { formatBlobRef } from '../../image/ref-name.ts';
import { findRef, readCommit } from '../../ostree/object-files.ts';
import { Crc64 } from '../../tar/crc64.ts';
import { type TarSplitEntry, TarSplitMalformed } from '../../tar/tar-split.ts';
import { BlobKey, readRecordedDigest } from '../image-commit.ts';
import { LayerFiles, type OpenedFile } from './layer-files.ts';
import { readTarSplit } from './tar-split-reader.ts';

/**
 * Size of all chunks but the last one. Large chunks save work in the streams, and the output of zlib-ng depends on where the
 * chunks end.
 */
const CHUNK_BYTES = 256 * 1024;

/** The facts that the repository has about a layer that can be rebuilt. */
export interface RecordedLayer {
  /** Digest of the blob, as in the manifest: `sha256:...`. */
  readonly digest: Digest;
  /** Digest of the archive: `sha256:...`. */
  readonly uncompressedDigest: Digest;
  /** Length of the archive in bytes; `undefined` when it is not recorded. */
  readonly uncompressedSize: number | undefined;
  /** First bytes of the blob, see `blob-start.ts`; `undefined` in older repositories. */
  readonly blobStart: Buffer | undefined;
  readonly dirtree: Checksum;
  /** Record of the archive, see `tar-split-recorder.ts`. */
  readonly record: string;
}

/**
 * @param digest digest of the blob, `sha256:...`
 * @throws AtomicError LAYER_NOT_FOUND; LAYER_NOT_REBUILDABLE when the layer has no record of its archive; STORE_CORRUPT
 */
export function readRecordedLayer(host: Host, digest: Digest): RecordedLayer {
  const { repository } = host.locations;
  const commit = findRef(repository, formatBlobRef(digest));
  if (commit === undefined) {
    throw new AtomicError('LAYER_NOT_FOUND', `reading layer ${digest}: it is not in the image store`, {
      hint: 'Pull the image again: atomic pull IMAGE',
    });
  }
  const { dirtree, metadata } = readCommit(repository, commit);
  const record = metadata.get(BlobKey.tarSplit);
  const uncompressedDigest = readRecordedDigest({ metadata }, BlobKey.uncompressedDigest);
  if (record === undefined || uncompressedDigest === undefined) {
    throw buildNotRebuildable(digest, 'no record of its archive was kept when it was stored');
  }
  const size = metadata.get(BlobKey.uncompressedSize);
  const start = metadata.get(BlobKey.start);
  return {
    digest,
    uncompressedDigest,
    uncompressedSize: size === undefined ? undefined : Number(size),
    blobStart: start === undefined ? undefined : Buffer.from(start, 'base64'),
    dirtree,
    record,
  };
}

/**
 * Generates the bytes of the archive. When it returns without an error, they are the bytes that were stored: a difference is
 * thrown after the last byte at the latest.
 *
 * @throws AtomicError LAYER_NOT_REBUILDABLE with the name of the file, when the tree differs from the archive, as when an
 * archive names a path twice; STORE_CORRUPT when objects are damaged or missing; INTERRUPTED
 */
export async function* rebuildArchive(host: Host, layer: RecordedLayer): AsyncGenerator<Buffer> {
  const algorithm = algorithmOf(layer.uncompressedDigest);
  const hash = new Bun.CryptoHasher(algorithm);
  let chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  let end = 0;
  for await (const piece of readPieces(host, layer)) {
    for (let taken = 0; taken < piece.length; ) {
      const count = piece.copy(chunk, end, taken);
      taken += count;
      end += count;
      if (end < CHUNK_BYTES) continue;
      throwIfInterrupted(host);
      hash.update(chunk);
      yield chunk;
      chunk = Buffer.allocUnsafe(CHUNK_BYTES);
      end = 0;
    }
  }
  const last = chunk.subarray(0, end);
  hash.update(last);
  if (last.length > 0) yield last;
  const actual = finishDigest(algorithm, hash);
  if (actual === layer.uncompressedDigest) return;
  throw buildCorrupt(layer, `its archive comes out as ${actual} instead of ${layer.uncompressedDigest}`);
}

async function* readPieces(host: Host, layer: RecordedLayer): AsyncGenerator<Buffer> {
  const files = new LayerFiles(host.locations.repository, layer.dirtree);
  try {
    for await (const entry of readTarSplit(layer.record)) {
      if (entry.kind === 'frame') yield entry.bytes;
      else if (entry.size > 0) yield* readContent(layer, entry, files.open(entry.name));
    }
  } catch (error) {
    if (error instanceof TarSplitMalformed) throw buildCorrupt(layer, error.message);
    throw error;
  }
}

type FileEntry = Extract<TarSplitEntry, { kind: 'file' }>;

async function* readContent(
  layer: RecordedLayer,
  entry: FileEntry,
  file: OpenedFile,
): AsyncGenerator<Buffer> {
  if (file.kind === 'lost') {
    throw buildCorrupt(layer, `object ${file.checksum} of ${toPrintable(entry.name)} is missing`);
  }
  if (file.kind === 'missing') throw await explainDifference(layer, entry, 'the layer has no such file');
  try {
    const sum = new Crc64();
    if (entry.areas === undefined && file.size !== entry.size) {
      throw await explainDifference(layer, entry, `${file.size} bytes instead of ${entry.size}`, file);
    }
    for (const [offset, length] of entry.areas ?? [[0, entry.size]]) {
      for (let at = offset; at < offset + length; ) {
        const chunk = Buffer.allocUnsafe(Math.min(offset + length - at, CHUNK_BYTES));
        const count = readSync(file.fd, chunk, 0, chunk.length, at);
        if (count === 0) throw await explainDifference(layer, entry, `it ends at byte ${at}`, file);
        const piece = chunk.subarray(0, count);
        sum.update(piece);
        at += count;
        yield piece;
      }
    }
    if (!sum.digest().equals(entry.checksum)) {
      throw await explainDifference(layer, entry, 'its content differs from that in the archive', file);
    }
  } finally {
    closeSync(file.fd);
  }
}

/** An archive may name a path twice. The tree then has only the last content. */
async function explainDifference(
  layer: RecordedLayer,
  entry: FileEntry,
  difference: string,
  file?: Extract<OpenedFile, { kind: 'open' }>,
): Promise<AtomicError> {
  const path = normalize(entry.name);
  let count = 0;
  for await (const other of readTarSplit(layer.record)) {
    if (other.kind === 'file' && normalize(other.name) === path) count += 1;
  }
  const name = toPrintable(entry.name);
  if (count > 1) {
    return buildNotRebuildable(
      layer.digest,
      `its archive names ${name} ${count} times, and only the last one was kept`,
    );
  }
  const object = file === undefined ? '' : ` (object ${file.checksum})`;
  return buildCorrupt(layer, `${name}${object}: ${difference}`);
}

function normalize(name: string): string {
  return name
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/');
}

function buildNotRebuildable(digest: Digest, reason: string): AtomicError {
  return new AtomicError('LAYER_NOT_REBUILDABLE', `rebuilding layer ${digest}: ${reason}`, {
    hint: 'Copy the image from its source instead: skopeo copy docker://IMAGE DESTINATION',
    details: { layer: digest },
  });
}

function buildCorrupt(layer: RecordedLayer, reason: string): AtomicError {
  return new AtomicError('STORE_CORRUPT', `rebuilding layer ${layer.digest}: ${reason}`, {
    hint: 'Check the image: atomic images verify IMAGE',
    details: { layer: layer.digest },
  });
}
