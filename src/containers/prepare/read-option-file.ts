/** The files that `--set-file` and options like it name. */
import { isUtf8 } from 'node:buffer';
import { constants, type FileHandle, open } from 'node:fs/promises';
import { AtomicError } from '../../base/errors.ts';
import { explainSystemError, findErrno } from '../../base/file-error.ts';
import { Permission } from '../../base/file-mode.ts';
import { toPrintable } from '../../base/printable.ts';
import { requireFindable } from '../../host/working-directory.ts';
import type { Secrets } from '../render/secrets/secret-option.ts';

/** The limit of systemd for a line of a unit, and for all credentials of a service. */
const MAX_OPTION_FILE_BYTES = 1024 * 1024;

/**
 * Reads the value of `--set-file NAME=PATH`. One line break at the end of the file does not belong to the value.
 *
 * @throws BAD_VALUE for a file that cannot be read, is no regular file, is too long or is not text
 */
export async function readSetFile(path: string): Promise<string> {
  return (await readTextOption('--set-file', path)).replace(/\r?\n$/, '');
}

/** @throws BAD_VALUE as `readSetFile` */
export async function readTextOption(option: string, path: string): Promise<string> {
  const refuse = buildRefusal(option, path);
  const content = await readOptionFile(path, refuse, async (file) => {
    // One byte more than the limit: a file can grow.
    const buffer = Buffer.alloc(MAX_OPTION_FILE_BYTES + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length, length);
      length += bytesRead;
      if (bytesRead === 0 || length === buffer.length) return buffer.subarray(0, length);
    }
  });
  if (content.length > MAX_OPTION_FILE_BYTES) throw refuse(tooLong);
  if (content.includes(0)) throw refuse('it contains a NUL character');
  if (!isUtf8(content)) throw refuse('it is not UTF-8 text');
  return content.toString('utf8');
}

const tooLong = `it is longer than ${MAX_OPTION_FILE_BYTES} bytes`;

/**
 * Checks the files of secrets as systemd will read them. Their content is not read.
 *
 * @returns warnings about files that other users can read
 * @throws BAD_VALUE for a file that cannot be read, is no regular file, or is too long
 */
export async function checkSecretFiles(secrets: Secrets): Promise<readonly string[]> {
  const warnings: string[] = [];
  let total = 0;
  for (const [name, path] of Object.entries(secrets)) {
    const refuse = buildRefusal(`--secret ${name}`, path);
    const { mode, size } = await readOptionFile(path, refuse, (file) => file.stat());
    // systemd counts the names, too.
    total += size + name.length;
    if (total > MAX_OPTION_FILE_BYTES) {
      throw refuse(`all secrets together are longer than ${MAX_OPTION_FILE_BYTES} bytes`);
    }
    if ((mode & Permission.othersRead) !== 0) {
      warnings.push(
        `${toPrintable(path)} of --secret ${name} can be read by every user: chmod 0600 ${toPrintable(path)}`,
      );
    }
  }
  return warnings;
}

type Refuse = (problem: string, cause?: unknown) => AtomicError;

/** Opens a file that an option names, for `read`. Throws `refuse` for a file that is not regular or too long. */
async function readOptionFile<T>(
  path: string,
  refuse: Refuse,
  read: (file: FileHandle) => Promise<T>,
): Promise<T> {
  requireFindable(path);
  let file: FileHandle | undefined;
  try {
    // Without O_NONBLOCK, the open of a FIFO would wait for a writer.
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const status = await file.stat();
    if (!status.isFile()) throw refuse('it is not a regular file');
    if (status.size > MAX_OPTION_FILE_BYTES) throw refuse(tooLong);
    return await read(file);
  } catch (error) {
    if (!(error instanceof Error) || findErrno(error) === undefined) throw error;
    throw refuse(explainSystemError(error).reason, error);
  } finally {
    await file?.close();
  }
}

function buildRefusal(option: string, path: string): Refuse {
  return (problem, cause) =>
    new AtomicError('BAD_VALUE', `Cannot read ${toPrintable(path)} for ${option}: ${problem}`, {
      cause,
      hint: `Check the path after ${option}; a relative path begins at the current folder.`,
    });
}
