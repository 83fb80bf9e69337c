/** Compresses an archive into a file as one of the known compressors does. */
import { appendFileSync, closeSync, createWriteStream, openSync, writeFileSync, writeSync } from 'node:fs';
import { Readable, Transform, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { crc32, createDeflateRaw, createZstdCompress } from 'node:zlib';
import type { Host } from '../../../host/host.ts';
import type { Compressor } from './compressors.ts';
import { GoDeflate } from './go-deflate.ts';
import { formatGzipHeader, formatGzipTrailer } from './gzip-file.ts';
import type { ArchiveToCompress } from './skopeo-compress.ts';

const CHUNK_BYTES = 256 * 1024;

interface CompressionJob {
  readonly archive: ArchiveToCompress;
  readonly compressor: Compressor;
  /** Header of a gzip file; `undefined` for that of the compressor. */
  readonly gzipHeader: Buffer | undefined;
  /** Path of the file to write, in a scratch folder. */
  readonly path: string;
}

/** @throws errors of the archive; failed system calls; as `compressWithSkopeo` */
export async function compressArchive(host: Host, job: CompressionJob): Promise<void> {
  const { archive, compressor, path } = job;
  const header = job.gzipHeader ?? formatGzipHeader(compressor);
  switch (compressor.kind) {
    case 'none':
      return pipeline(Readable.from(archive.bytes), createWriteStream(path));
    case 'go':
      return writeGzip(archive.bytes, new GoDeflateStream(), header, path);
    case 'zlib-ng':
      // The output depends on the sizes of the chunks; these are the usual ones.
      return writeGzip(archive.bytes, createDeflateRaw({ level: compressor.level }), header, path);
    case 'zlib':
      return writeWithZlib(archive.bytes, compressor.level, header, path);
    case 'libzstd':
      return pipeline(
        Readable.from(archive.bytes),
        createZstdCompress({
          chunkSize: CHUNK_BYTES,
          ...(compressor.isSized ? { pledgedSrcSize: archive.size } : {}),
        }),
        createWriteStream(path),
      );
    case 'skopeo': {
      const { compressWithSkopeo } = await import('./skopeo-compress.ts');
      await compressWithSkopeo(host, archive, compressor.format, path);
      if (compressor.format === 'gzip' && job.gzipHeader !== undefined) overwriteStart(path, job.gzipHeader);
    }
  }
}

async function writeGzip(
  archive: AsyncIterable<Buffer>,
  deflate: Transform,
  header: Buffer,
  path: string,
): Promise<void> {
  let crc = 0;
  let size = 0;
  async function* watch(): AsyncGenerator<Buffer> {
    for await (const chunk of archive) {
      crc = crc32(chunk, crc);
      size += chunk.length;
      yield chunk;
    }
  }
  writeFileSync(path, header);
  await pipeline(Readable.from(watch()), deflate, createWriteStream(path, { flags: 'a' }));
  appendFileSync(path, formatGzipTrailer(crc, size));
}

/** zlib writes the header itself. */
async function writeWithZlib(
  archive: AsyncIterable<Buffer>,
  level: number,
  header: Buffer,
  path: string,
): Promise<void> {
  const { openGzipFile } = await import('../../../native/zlib.ts');
  const fd = openSync(path, 'w');
  try {
    const ownHeader = formatGzipHeader({ kind: 'zlib', level });
    writeSync(fd, Buffer.alloc(header.length - ownHeader.length));
    const file = openGzipFile(fd, level);
    try {
      for await (const chunk of archive) file.write(chunk);
    } finally {
      file.close();
    }
    writeSync(fd, header, 0, header.length, 0);
  } finally {
    closeSync(fd);
  }
}

function overwriteStart(path: string, bytes: Buffer): void {
  const fd = openSync(path, 'r+');
  try {
    writeSync(fd, bytes, 0, bytes.length, 0);
  } finally {
    closeSync(fd);
  }
}

class GoDeflateStream extends Transform {
  readonly #deflate = new GoDeflate();

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    for (const part of this.#deflate.push(chunk)) if (part.length > 0) this.push(part);
    done();
  }

  override _flush(done: TransformCallback): void {
    for (const part of this.#deflate.finish()) this.push(part);
    done();
  }
}
