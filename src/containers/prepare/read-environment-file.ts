import { open } from 'node:fs/promises';
import { AtomicError } from '../../base/errors.ts';
import { describeFailure } from '../../base/file-error.ts';
import { toPrintable } from '../../base/printable.ts';
import { parseEnvironmentFile } from '../render/options/environment-options.ts';

const MAX_BYTES = 1024 * 1024;

/** Reads a file of `--env-file`. @returns values of `--env`; @throws BAD_VALUE */
export async function readEnvironmentFile(path: string): Promise<readonly string[]> {
  const reject = (reason: string, hint: string): Error =>
    new AtomicError('BAD_VALUE', `--env-file ${toPrintable(path)}: ${reason}`, { hint });
  const bytes = await readBounded(path).catch((error: unknown) => {
    throw reject(describeFailure(error), 'Name a file with one NAME=VALUE a line.');
  });
  if (bytes.length > MAX_BYTES) throw reject(`it is longer than ${MAX_BYTES} bytes`, 'Use a smaller file.');
  const text = bytes.toString('utf8');
  if (!Buffer.from(text, 'utf8').equals(bytes) || text.startsWith('\ufeff')) {
    throw reject('it is not UTF-8 text without a byte order mark', 'Convert the file.');
  }
  return parseEnvironmentFile(text, path);
}

/** Also of a pipe, as a shell makes one for `<(command)`. */
async function readBounded(path: string): Promise<Buffer> {
  await using file = await open(path, 'r');
  const chunks: Buffer[] = [];
  for (let length = 0; length <= MAX_BYTES; ) {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(64 * 1024), 0, 64 * 1024);
    if (bytesRead === 0) break;
    chunks.push(buffer.subarray(0, bytesRead));
    length += bytesRead;
  }
  return Buffer.concat(chunks);
}
