import { AtomicError } from '../../base/errors.ts';
import { toPrintable } from '../../base/printable.ts';
import type { OptionTable } from '../../cli/arguments/command-spec.ts';

/** Progress for programs, for every verb that may take long. `run-verb.ts` acts on it. */
export const progressOption = {
  'progress-fd': {
    kind: 'value',
    label: 'N',
    description: 'Write the progress as JSON lines to the open file descriptor N.',
  },
} as const satisfies OptionTable;

/** Below are standard input, output and error. */
const FIRST_FREE = 3;

/**
 * @returns a descriptor that the caller of the program has opened for writing
 * @throws BAD_VALUE
 */
export async function parseProgressFd(text: string): Promise<number> {
  const fd = /^[0-9]{1,9}$/.test(text) ? Number(text) : 0;
  const { isOpenForWriting } = await import('../../cli/standard-stream.ts');
  if (fd >= FIRST_FREE && isOpenForWriting(fd)) return fd;
  const value = toPrintable(text, 80);
  const reason =
    fd < FIRST_FREE
      ? `it must be the number of a file descriptor, at least ${FIRST_FREE}`
      : 'no such file descriptor is open for writing';
  throw new AtomicError('BAD_VALUE', `Invalid value '${value}' of --progress-fd: ${reason}`, {
    hint: 'Open it in the shell: atomic pull --progress-fd 3 IMAGE 3>FILE',
  });
}
