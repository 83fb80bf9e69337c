/**
 * Rebuilds a layer's blob. The store has the archive byte for byte, but not its compression, which is found by trying: first
 * the compressors that match the blob's first bytes, on the first megabytes of the archive; then those that still match, on
 * all of it. The digest decides in the end.
 */

import { closeSync, createReadStream, openSync, readSync, renameSync, statSync, unlinkSync } from 'node:fs';
import type { Host } from '../../host/host.ts';
import { algorithmOf, type Digest, type DigestAlgorithm, finishDigest, hexOf } from '../../image/digest.ts';
import { type BlobDescriptor, findCompression, type LayerCompression } from '../../image/manifest.ts';
import { withStoreErrors } from '../../ostree/store-error.ts';
import { type RecordedLayer, readRecordedLayer, rebuildArchive } from './rebuild-archive.ts';
import { compressArchive } from './recompress/compress-layer.ts';
import { type Compressor, describeCompressor, planCompressors } from './recompress/compressors.ts';
import { findGzipHeader } from './recompress/gzip-file.ts';

/**
 * Enough for the first block of every compressor, which has 16,384 matches or literal bytes. When nearly all are the longest
 * matches, as in zeros, the sample does not decide.
 */
const SAMPLE_BYTES = 4 * 1024 * 1024;

/** Reason for a changed digest: skopeo writes no blob under a digest of another algorithm. */
export const UNNAMEABLE_REASON = 'skopeo names blobs by sha256 only; its bytes are the same';

/** A layer's blob in the folder. Its name is the hex of its digest. */
export interface RebuiltLayer {
  /** Digest in the image's manifest, `sha256:...`. */
  readonly original: Digest;
  readonly digest: Digest;
  readonly size: number;
  /** Reason why the blob differs from the original; `undefined` when it is the original. */
  readonly reason: string | undefined;
}

/**
 * Rebuilds the blob: the original bytes when one of the compressors produces them, otherwise a blob of the same content.
 *
 * @param folder folder for the blob and temporary files
 * @throws AtomicError NO_SPACE, READ_ONLY, STORE_FAILED; as `readRecordedLayer` and `rebuildArchive`
 */
export async function rebuildLayer(host: Host, layer: BlobDescriptor, folder: string): Promise<RebuiltLayer> {
  return withStoreErrors(`rebuilding layer ${layer.digest}`, async () => {
    const recorded = readRecordedLayer(host, layer.digest);
    const compression = findCompression(layer, recorded.uncompressedDigest);
    const attempts = new Attempts(host, recorded, compression, folder);
    const planned = planCompressors(compression, recorded.blobStart);
    for (const compressor of await attempts.listLikely(planned)) {
      if ((await attempts.compress(compressor)) === layer.digest) return await attempts.take();
    }
    return await attempts.takeAnother(planned);
  });
}

/**
 * Writes the uncompressed archive.
 *
 * @param folder folder for the archive
 * @throws as `rebuildLayer`
 */
export async function rebuildUncompressed(
  host: Host,
  layer: BlobDescriptor,
  folder: string,
): Promise<RebuiltLayer> {
  return withStoreErrors(`rebuilding layer ${layer.digest}`, async () => {
    const recorded = readRecordedLayer(host, layer.digest);
    const attempts = new Attempts(host, recorded, 'none', folder);
    await attempts.compress({ kind: 'none' });
    return await attempts.take();
  });
}

class Attempts {
  readonly #host: Host;
  readonly #layer: RecordedLayer;
  readonly #compression: LayerCompression;
  readonly #folder: string;
  readonly #path: string;
  readonly #header: Buffer | undefined;
  /** Digest of the file at `path`; `undefined` before the first attempt. */
  #digest: Digest | undefined;

  constructor(host: Host, layer: RecordedLayer, compression: LayerCompression, folder: string) {
    this.#host = host;
    this.#layer = layer;
    this.#compression = compression;
    this.#folder = folder;
    this.#path = `${folder}/attempt`;
    this.#header =
      compression === 'gzip' && layer.blobStart !== undefined ? findGzipHeader(layer.blobStart) : undefined;
  }

  /** Lists the compressors whose output begins like the blob. */
  async listLikely(planned: readonly Compressor[]): Promise<readonly Compressor[]> {
    const start = this.#layer.blobStart;
    const isLong = (this.#layer.uncompressedSize ?? 0) > SAMPLE_BYTES;
    if (this.#compression !== 'gzip' || start === undefined || !isLong) return planned;
    const sample = await this.#readSample();
    const likely: Compressor[] = [];
    for (const compressor of planned) {
      const path = `${this.#folder}/sample`;
      await compressArchive(this.#host, { archive: sample, compressor, gzipHeader: this.#header, path });
      if (beginsWith(path, start)) likely.push(compressor);
      unlinkSync(path);
    }
    return likely;
  }

  /** @returns digest of the output, of the same algorithm as the original digest */
  async compress(compressor: Compressor): Promise<Digest> {
    const { uncompressedDigest: digest, uncompressedSize: size = 0 } = this.#layer;
    const archive = { bytes: rebuildArchive(this.#host, this.#layer), digest, size };
    await compressArchive(this.#host, {
      ...{ archive, compressor, path: this.#path },
      gzipHeader: this.#header,
    });
    this.#digest = await digestFile(this.#path, algorithmOf(this.#layer.digest));
    return this.#digest;
  }

  /** Renames the output of the last attempt to its digest. */
  async take(reason?: string): Promise<RebuiltLayer> {
    if (this.#digest === undefined) throw new Error('nothing was compressed');
    const { digest: original } = this.#layer;
    const isNameable = algorithmOf(original) === 'sha256';
    const digest = isNameable ? this.#digest : await digestFile(this.#path, 'sha256');
    const { size } = statSync(this.#path);
    renameSync(this.#path, `${this.#folder}/${hexOf(digest)}`);
    return { original, digest, size, reason: reason ?? (isNameable ? undefined : UNNAMEABLE_REASON) };
  }

  /** Takes a blob with other bytes of the same content: that of the last attempt, or of one more. */
  async takeAnother(tried: readonly Compressor[]): Promise<RebuiltLayer> {
    if (this.#digest === undefined) await this.compress(chooseSubstitute(this.#compression));
    const names = tried.map(describeCompressor).join(', ');
    if (names === '') return this.take('it is not known which program compressed it');
    const unknown = `it was compressed by an unknown program or version; these were tried: ${names}`;
    return this.take(
      this.#layer.blobStart === undefined ? `${unknown}; the blob was never fetched` : unknown,
    );
  }

  async #readSample(): Promise<{ bytes: AsyncIterable<Buffer>; digest: Digest; size: number }> {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of rebuildArchive(this.#host, this.#layer)) {
      chunks.push(chunk.subarray(0, SAMPLE_BYTES - size));
      size = Math.min(size + chunk.length, SAMPLE_BYTES);
      if (size === SAMPLE_BYTES) break;
    }
    const hash = new Bun.CryptoHasher('sha256');
    for (const chunk of chunks) hash.update(chunk);
    const bytes = {
      async *[Symbol.asyncIterator]() {
        yield* chunks;
      },
    };
    return { bytes, digest: finishDigest('sha256', hash), size };
  }
}

function chooseSubstitute(compression: LayerCompression): Compressor {
  switch (compression) {
    case 'gzip':
      return { kind: 'zlib-ng', level: 6 };
    case 'zstd':
      return { kind: 'libzstd', isSized: true };
    case 'none':
      return { kind: 'none' };
  }
}

/** A shorter file is not compared. */
function beginsWith(path: string, start: Buffer): boolean {
  const fd = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(start.length);
    return readSync(fd, bytes) < start.length || bytes.equals(start);
  } finally {
    closeSync(fd);
  }
}

async function digestFile(path: string, algorithm: DigestAlgorithm): Promise<Digest> {
  const hash = new Bun.CryptoHasher(algorithm);
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) hash.update(chunk);
  return finishDigest(algorithm, hash);
}
