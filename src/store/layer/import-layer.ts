/**
 * Streams one layer into the open transaction: blob -> inflate -> digest -> reader of the archive -> objects. Only the objects
 * and the record of the archive are written. Memory grows with the number of directories, whose paths are kept, but neither
 * with the size nor with the number of the files, see `layer-tree.ts`.
 *
 * A thread of the pool inflates and a worker creates files, see `file-worker.ts`; this thread does everything else. So one layer
 * is imported at a time.
 */
import { PassThrough, type Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { AtomicError } from '../../base/errors.ts';
import { type Digest, type DigestAlgorithm, finishDigest } from '../../image/digest.ts';
import type { LayerCompression } from '../../image/manifest.ts';
import { type DirectoryObjects, LayerTreeBuilder, type TreeChecksums } from '../../ostree/layer-tree.ts';
import type { TextPieces } from '../../ostree/variant-writer.ts';
import type { OpenedBlob } from '../../source/skopeo/image-proxy.ts';
import type { TarSummary } from '../../tar/tar-entries.ts';
import { type TarListener, TarReader } from '../../tar/tar-reader.ts';
import { BlobStart } from './blob-start.ts';
import { GarbagePace } from './garbage-pace.ts';
import type { KeptAttributes } from './kept-attributes.ts';
import { LayerImporter } from './layer-importer.ts';
import type { ObjectStage } from './object-stage.ts';
import { TarSplitRecorder } from './tar-split-recorder.ts';
import type { UnnamedFile } from './unnamed-file.ts';
import type { WriteBack } from './write-back.ts';

const INFLATED_CHUNK_BYTES = 256 * 1024;
/** Bytes by which the inflater may be ahead of the reader of the archive, and the reader ahead of the written files. */
const MAX_WAITING_BYTES = 2 * 1024 * 1024;
const ARCHIVE_PACE = { young: 2 * 1024 * 1024, all: 16 * 1024 * 1024 } as const;
/** Pace for directories that are written: they need much more memory for each byte. */
const DIRECTORY_PACE = { young: 256 * 1024, all: 4 * 1024 * 1024 } as const;
/** Time for the proxy to report that a blob, which cannot be inflated, has a wrong digest. */
const VERDICT_MILLISECONDS = 2000;

export interface ImportedLayer {
  readonly tree: TreeChecksums;
  readonly uncompressedSize: number;
  /** Digest of the inflated archive. */
  readonly uncompressedDigest: Digest;
  readonly summary: TarSummary;
  /** Number of files that have lost an extended attribute, by the name of the attribute; see `KeptAttributes`. */
  readonly leftOut: ReadonlyMap<string, number>;
  /** Record of the archive, see `TarSplitRecorder`. */
  readonly tarSplit: TextPieces | undefined;
  /** First bytes of the blob in base64, see `BlobStart`. */
  readonly blobStart: string;
}

interface LayerImport {
  /** Empty file for `ImportedLayer.tarSplit`; the caller closes it when that is not needed any more. */
  readonly record: UnnamedFile;
  readonly compression: LayerCompression;
  /** Algorithm of the digest of the inflated archive. */
  readonly algorithm: DigestAlgorithm;
  readonly writeBack: WriteBack;
  /** Called with the number of compressed bytes received up to now. */
  readonly onReceived: (bytes: number) => void;
}

/**
 * @param stage stage of the open transaction
 * @param blob open blob, not read yet; the caller closes its source
 * @throws AtomicError LAYER_REJECTED for an archive that must not or cannot be unpacked; errors of the blob's verification;
 * file errors of the repository
 */
export async function importLayer(
  stage: ObjectStage,
  blob: OpenedBlob,
  { record, compression, algorithm, writeBack, onReceived }: LayerImport,
): Promise<ImportedLayer> {
  const inflater = createInflater(compression);
  const unpacker = new Unpacker(stage, record, algorithm);
  const start = new BlobStart();
  let received = 0;
  blob.stream.on('data', (chunk: Buffer) => {
    received += chunk.length;
    start.push(chunk);
    writeBack.pass(chunk.length);
    onReceived(received);
  });
  try {
    await pipeline(blob.stream, inflater, unpacker);
  } catch (error) {
    await stage.end();
    throw await explainFailure(error, blob);
  }
  await blob.verified;
  return { ...unpacker.result(), blobStart: start.toBase64() };
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

/** Takes an inflated archive: digests it, records what rebuilds it, and unpacks it. */
class Unpacker extends Writable {
  readonly #stage: ObjectStage;
  readonly #recorder: TarSplitRecorder;
  readonly #attributes: KeptAttributes;
  readonly #importer: LayerImporter;
  readonly #reader: TarReader;
  readonly #algorithm: DigestAlgorithm;
  readonly #hash: Bun.CryptoHasher;
  readonly #archivePace = new GarbagePace(ARCHIVE_PACE);
  readonly #directoryPace = new GarbagePace(DIRECTORY_PACE);
  #bytes = 0;
  #result: Omit<ImportedLayer, 'blobStart'> | undefined;

  constructor(stage: ObjectStage, record: UnnamedFile, algorithm: DigestAlgorithm) {
    super({ highWaterMark: MAX_WAITING_BYTES });
    this.#algorithm = algorithm;
    this.#hash = new Bun.CryptoHasher(algorithm);
    this.#stage = stage;
    this.#recorder = new TarSplitRecorder(record);
    this.#attributes = stage.createAttributes();
    this.#importer = new LayerImporter(
      stage,
      this.#attributes,
      new LayerTreeBuilder(collectBehind(stage, this.#directoryPace)),
    );
    this.#reader = new TarReader(listenWith(this.#recorder, this.#importer));
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    finishWith(done, async () => {
      // Lets the inflater go on before this chunk is processed.
      await undefined;
      this.#hash.update(chunk);
      this.#bytes += chunk.length;
      this.#reader.push(chunk);
      this.#archivePace.pass(chunk.length);
      await this.#stage.settle();
    });
  }

  override _final(done: (error?: Error) => void): void {
    finishWith(done, async () => {
      const summary = this.#reader.finish();
      const tree = this.#importer.finish();
      const tarSplit = this.#recorder.finish();
      await this.#stage.finish();
      this.#result = {
        summary,
        leftOut: this.#attributes.leftOut,
        tree,
        uncompressedSize: this.#bytes,
        uncompressedDigest: finishDigest(this.#algorithm, this.#hash),
        tarSplit,
      };
    });
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#importer.abandon();
    done(error);
  }

  result(): Omit<ImportedLayer, 'blobStart'> {
    if (this.#result === undefined) throw new Error('the archive has not ended');
    return this.#result;
  }
}

/** The recorder gets everything, the importer only entries and their content. */
function listenWith(recorder: TarSplitRecorder, importer: LayerImporter): TarListener {
  return {
    frame: (bytes) => recorder.frame(bytes),
    entry(entry) {
      recorder.entry(entry);
      importer.entry(entry);
    },
    content(bytes) {
      recorder.content(bytes);
      importer.content(bytes);
    },
  };
}

function collectBehind(objects: DirectoryObjects, pace: GarbagePace): DirectoryObjects {
  return {
    write(kind, checksum, data) {
      objects.write(kind, checksum, data);
      pace.pass(data.length);
    },
    readDirTree: (checksum) => objects.readDirTree(checksum),
  };
}

function finishWith(done: (error?: Error) => void, action: () => Promise<void>): void {
  action().then(() => done(), done);
}

/**
 * A lost connection looks like an archive that is cut short, and changed data like a damaged layer. So an error of the proxy
 * takes precedence over the error that was noticed here.
 */
async function explainFailure(noticed: unknown, blob: OpenedBlob): Promise<unknown> {
  if (blob.stream.readableEnded) {
    const [verified] = await Promise.allSettled([blob.verified]);
    if (verified.status === 'rejected') return verified.reason;
  }
  if (!isInflateError(noticed)) return noticed;
  const verdict = await Promise.race([findVerdict(blob), sleep(VERDICT_MILLISECONDS, undefined)]);
  if (verdict !== undefined) return verdict;
  return new AtomicError('LAYER_REJECTED', `inflating: ${noticed.message}`, {
    hint: 'The layer is damaged; build and push the image again.',
    cause: noticed,
  });
}

/** The rest of the blob is not read; the proxy may notice that before it has compared the digest. */
async function findVerdict(blob: OpenedBlob): Promise<AtomicError | undefined> {
  const [verified] = await Promise.allSettled([blob.verified]);
  const reason: unknown = verified.status === 'rejected' ? verified.reason : undefined;
  return reason instanceof AtomicError && reason.code === 'DIGEST_MISMATCH' ? reason : undefined;
}

/** Errors of `node:zlib` have a code of zlib or zstd. */
function isInflateError(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && /^(?:Z_|ZSTD_)/.test(String(error.code));
}
