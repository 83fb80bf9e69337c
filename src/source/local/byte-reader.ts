/** Reads a plain or gzip file from its start to its end. Skipped parts of a plain file are not read from the disk. */
import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';

const GZIP_MAGIC = Buffer.from([0x1f, 0x8b]);

export interface ByteReader {
  readonly isCompressed: boolean;
  /** @returns `bytes` bytes, or fewer at the end of the file */
  read(bytes: number): Promise<Buffer>;
  /** @returns false when the file ends before that */
  skip(bytes: number): Promise<boolean>;
  close(): Promise<void>;
}

/** @throws errors of `open` and `read`, such as EISDIR; `ByteReader` throws errors of zlib */
export async function openByteReader(path: string): Promise<ByteReader> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0);
    if (bytesRead < 2 || !buffer.equals(GZIP_MAGIC)) return readPlain(file, (await file.stat()).size);
  } catch (error) {
    await file.close();
    throw error;
  }
  await file.close();
  return readCompressed(path);
}

function readPlain(file: FileHandle, size: number): ByteReader {
  let position = 0;
  return {
    isCompressed: false,
    async read(bytes) {
      const wanted = Math.max(0, Math.min(bytes, size - position));
      const { buffer, bytesRead } = await file.read(Buffer.alloc(wanted), 0, wanted, position);
      position += bytesRead;
      return buffer.subarray(0, bytesRead);
    },
    async skip(bytes) {
      position += bytes;
      return position <= size;
    },
    close: () => file.close(),
  };
}

function readCompressed(path: string): ByteReader {
  const source = createReadStream(path);
  const inflated = createGunzip();
  // Both streams report their failures to the code that awaits the bytes.
  pipeline(source, inflated, () => undefined);
  const chunks: AsyncIterator<Buffer> = inflated[Symbol.asyncIterator]();
  let rest: Buffer = Buffer.alloc(0);
  /** Passes the next bytes to `take` until there are enough. @returns the number of bytes */
  const consume = async (bytes: number, take: (part: Buffer) => void): Promise<number> => {
    let missing = bytes;
    while (missing > 0) {
      if (rest.length === 0) {
        const next = await chunks.next();
        if (next.done) break;
        rest = next.value;
      }
      const part = rest.subarray(0, missing);
      rest = rest.subarray(part.length);
      missing -= part.length;
      take(part);
    }
    return bytes - missing;
  };
  return {
    isCompressed: true,
    async read(bytes) {
      const parts: Buffer[] = [];
      await consume(bytes, (part) => parts.push(part));
      return Buffer.concat(parts);
    },
    skip: async (bytes) => (await consume(bytes, () => undefined)) === bytes,
    async close() {
      source.destroy();
      inflated.destroy();
    },
  };
}
