/**
 * Streams one layer into the open transaction: blob -> inflate -> scanner and digest -> pipe -> libarchive ->
 * libostree's objects. Nothing is written beside the objects, and memory does not grow with the layer.
 *
 * Two threads of the pool are busy meanwhile: one in libostree, one that inflates. The pool of the runtime has at
 * least two threads and may have no more, so one layer is imported at a time.
 */
import { createHash } from 'node:crypto';
import { closeSync, createWriteStream } from 'node:fs';
import { PassThrough, Transform, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { AtomicError } from '../core/errors.ts';
import { type BlobDescriptor, findCompression, type LayerCompression } from '../core/manifest.ts';
import { TarScanner, type TarSummary } from '../core/tar-scanner.ts';
import type { Pointer } from '../native/glib.ts';
import { openPipe } from '../native/libc.ts';
import { importTar, type TreeChecksums } from '../native/ostree.ts';
import type { OpenedBlob } from '../source/image-proxy.ts';
import { BlobStart } from './blob-start.ts';
import { TarSplitRecorder } from './tar-split-recorder.ts';

/** Enough that neither side waits for the other at every read. */
const PIPE_BYTES = 1024 * 1024;
const INFLATED_CHUNK_BYTES = 256 * 1024;

export interface ImportedLayer {
  readonly tree: TreeChecksums;
  readonly uncompressedSize: number;
  /** `sha256:...` of the inflated archive. */
  readonly uncompressedDigest: string;
  readonly summary: TarSummary;
  /** See `TarSplitRecorder`. */
  readonly tarSplit: string | undefined;
  /** See `BlobStart`. */
  readonly blobStart: string;
}

/**
 * @param blob open and unread; the caller closes its source
 * @param onReceived called with the number of compressed bytes so far
 * @throws AtomicError LAYER_REJECTED for an archive that must not or cannot be unpacked; what the blob's own
 * verification throws; GErrorThrown from the repository
 */
export async function importLayer(
  repo: Pointer,
  layer: BlobDescriptor,
  blob: OpenedBlob,
  onReceived: (bytes: number) => void,
): Promise<ImportedLayer> {
  const inflate = createInflater(findCompression(layer));
  const watcher = new ArchiveWatcher();
  const { readEnd, writeEnd } = openPipe(PIPE_BYTES);
  const start = new BlobStart();
  let received = 0;
  blob.stream.on('data', (chunk: Buffer) => {
    received += chunk.length;
    start.push(chunk);
    onReceived(received);
  });
  const feeding = pipeline(
    blob.stream,
    inflate,
    watcher,
    createWriteStream('', { fd: writeEnd, highWaterMark: INFLATED_CHUNK_BYTES }),
  );
  const storing = importTar(repo, readEnd).finally(() => closeSync(readEnd));
  const [fed, stored] = await Promise.allSettled([feeding, storing]);
  if (fed.status === 'rejected') throw await explainFailure(fed.reason, stored, blob);
  if (stored.status === 'rejected') throw stored.reason;
  await blob.verified;
  return { tree: stored.value, ...watcher.result(), blobStart: start.toBase64() };
}

function createInflater(compression: LayerCompression): Transform {
  switch (compression) {
    case 'gzip':
      return createGunzip({ chunkSize: INFLATED_CHUNK_BYTES });
    case 'zstd':
      return createZstdDecompress({ chunkSize: INFLATED_CHUNK_BYTES });
    case 'none':
      return new PassThrough({ highWaterMark: INFLATED_CHUNK_BYTES });
  }
}

/** Digests and checks an inflated archive, and passes on what the unpacker should get of it, its end completed. */
class ArchiveWatcher extends Transform {
  readonly #recorder = new TarSplitRecorder();
  readonly #scanner = new TarScanner(this.#recorder);
  readonly #hash = createHash('sha256');
  #bytes = 0;
  #summary: TarSummary | undefined;

  constructor() {
    super({ highWaterMark: INFLATED_CHUNK_BYTES });
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    try {
      this.#hash.update(chunk);
      this.#bytes += chunk.length;
      done(null, this.#scanner.push(chunk));
    } catch (error) {
      done(error as Error);
    }
  }

  override _flush(done: TransformCallback): void {
    try {
      this.#summary = this.#scanner.finish();
      done(null, this.#summary.missingPadding === 0 ? undefined : Buffer.alloc(this.#summary.missingPadding));
    } catch (error) {
      done(error as Error);
    }
  }

  result(): Omit<ImportedLayer, 'tree' | 'blobStart'> {
    if (this.#summary === undefined) throw new Error('the archive has not ended');
    return {
      uncompressedSize: this.#bytes,
      uncompressedDigest: `sha256:${this.#hash.digest('hex')}`,
      summary: this.#summary,
      tarSplit: this.#recorder.finish(),
    };
  }
}

/**
 * Finds the first cause. A lost connection looks like an archive that is cut short, and a full disk like a broken
 * pipe: what the proxy and the repository say goes before what the stream noticed of it.
 */
async function explainFailure(
  noticed: unknown,
  stored: PromiseSettledResult<TreeChecksums>,
  blob: OpenedBlob,
): Promise<unknown> {
  if (isBrokenPipe(noticed)) return stored.status === 'rejected' ? stored.reason : noticed;
  if (blob.stream.readableEnded) {
    const [verified] = await Promise.allSettled([blob.verified]);
    if (verified.status === 'rejected') return verified.reason;
  }
  if (noticed instanceof AtomicError) return noticed;
  return new AtomicError(
    'LAYER_REJECTED',
    `inflating: ${noticed instanceof Error ? noticed.message : noticed}`,
    {
      hint: 'The layer is damaged; build and push the image again.',
      cause: noticed,
    },
  );
}

function isBrokenPipe(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EPIPE';
}
