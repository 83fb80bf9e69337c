/** Reads the record that `tar-split-recorder.ts` or the original tool made of a layer's archive, line by line. */
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { parseTarSplitLine, type TarSplitEntry, TarSplitMalformed } from '../../tar/tar-split.ts';

/** Limit far above any real line: the headers of one entry, or everything after the end of an archive. */
const MAX_LINE_BYTES = 256 * 1024 * 1024;
const CHUNK_BYTES = 256 * 1024;
const NEWLINE = 0x0a;

/**
 * @param record base64 of one or several gzip members; their text has one JSON object a line
 * @throws TarSplitMalformed
 */
export async function* readTarSplit(record: string): AsyncGenerator<TarSplitEntry> {
  let held: Buffer[] = [];
  let heldBytes = 0;
  for await (const chunk of inflate(record)) {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      const line = Buffer.concat([...held, chunk.subarray(from, end)]).toString('utf8');
      held = [];
      heldBytes = 0;
      from = end + 1;
      if (line !== '') yield parseTarSplitLine(line);
    }
    held.push(chunk.subarray(from));
    heldBytes += chunk.length - from;
    if (heldBytes > MAX_LINE_BYTES) throw new TarSplitMalformed('a line without end');
  }
  const last = Buffer.concat(held).toString('utf8');
  if (last !== '') yield parseTarSplitLine(last);
}

async function* inflate(record: string): AsyncGenerator<Buffer> {
  const compressed = Readable.from([Buffer.from(record, 'base64')]);
  const gunzip = createGunzip({ chunkSize: CHUNK_BYTES });
  try {
    for await (const chunk of compressed.pipe(gunzip)) yield chunk;
  } catch (error) {
    if (isZlibError(error)) throw new TarSplitMalformed('it cannot be inflated');
    throw error;
  } finally {
    gunzip.destroy();
  }
}

function isZlibError(error: unknown): boolean {
  return (
    error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('Z_')
  );
}
