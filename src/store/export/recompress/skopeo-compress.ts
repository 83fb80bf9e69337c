/**
 * Compresses an archive with skopeo, because only skopeo's own library produces the bytes of podman, buildah and skopeo. The
 * archive is a stream: skopeo reads it from its standard input, to which a symlink in the `dir:` folder leads. Only the
 * result is written to the disk.
 */

import {
  closeSync,
  createWriteStream,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { isErrno } from '../../../base/file-error.ts';
import { isJsonObject, parseJson } from '../../../base/json-text.ts';
import type { Host } from '../../../host/host.ts';
import { captureProgramReading } from '../../../host/run-program.ts';
import { computeDigest, type Digest, hexOf, isDigest } from '../../../image/digest.ts';
import { openPipe } from '../../../native/libc.ts';
import { buildSkopeoFailure, findSkopeo } from '../../../source/skopeo/skopeo.ts';

const PIPE_BYTES = 1024 * 1024;

export interface ArchiveToCompress {
  readonly bytes: AsyncIterable<Buffer>;
  /** Digest of all bytes, `sha256:...`. */
  readonly digest: Digest;
  readonly size: number;
}

/**
 * @param path of the compressed file, in an existing folder on a disk with room for the result
 * @throws what the archive throws; AtomicError TOOL_MISSING, NO_SPACE, TRANSFER_FAILED
 */
export async function compressWithSkopeo(
  host: Host,
  archive: ArchiveToCompress,
  format: 'gzip' | 'zstd',
  path: string,
): Promise<void> {
  const source = `${path}-uncompressed`;
  const result = `${path}-compressed`;
  try {
    writeSource(source, archive);
    await runCompression(host, archive, [
      ...[findSkopeo(host), '--insecure-policy', 'copy', '--quiet', '--dest-compress'],
      ...[`--dest-compress-format=${format}`, `dir:${source}`, `dir:${result}`],
    ]);
    renameSync(`${result}/${readLayerName(`${result}/manifest.json`)}`, path);
  } finally {
    for (const used of [source, result]) rmSync(used, { recursive: true, force: true });
  }
}

/** Writes an image of one layer. In the place of the layer is a symlink to the standard input of the process that opens it. */
function writeSource(folder: string, { digest, size }: ArchiveToCompress): void {
  mkdirSync(folder);
  writeFileSync(`${folder}/version`, 'Directory Transport Version: 1.1\n');
  symlinkSync('/proc/self/fd/0', `${folder}/${hexOf(digest)}`);
  const config = JSON.stringify({
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: [digest] },
  });
  const configDigest = computeDigest('sha256', config);
  writeFileSync(`${folder}/${hexOf(configDigest)}`, config);
  const manifest = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: {
      mediaType: 'application/vnd.oci.image.config.v1+json',
      digest: configDigest,
      size: config.length,
    },
    layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest, size }],
  };
  writeFileSync(`${folder}/manifest.json`, JSON.stringify(manifest));
}

async function runCompression(
  host: Host,
  archive: ArchiveToCompress,
  argv: readonly string[],
): Promise<void> {
  const { readEnd, writeEnd } = openPipe(PIPE_BYTES);
  const running = captureProgramReading(host, argv, readEnd);
  closeSync(readEnd);
  const feeding = pipeline(Readable.from(archive.bytes), createWriteStream('', { fd: writeEnd }));
  const [fed, ran] = await Promise.allSettled([feeding, running]);
  // EPIPE means that skopeo has ended; its own error says why.
  if (fed.status === 'rejected' && !isErrno(fed.reason, 'EPIPE')) throw fed.reason;
  if (ran.status === 'rejected') throw ran.reason;
  if (ran.value.exitCode !== 0) throw buildSkopeoFailure(ran.value.stderrTail, 'pull');
  if (fed.status === 'rejected') throw fed.reason;
}

function readLayerName(manifestPath: string): string {
  const manifest: unknown = parseJson(readFileSync(manifestPath, 'utf8'));
  const layers = isJsonObject(manifest) ? manifest.layers : undefined;
  const layer: unknown = Array.isArray(layers) ? layers[0] : undefined;
  if (!isJsonObject(layer) || !isDigest(layer.digest)) throw new Error('skopeo wrote no layer');
  return hexOf(layer.digest);
}
