/** Options that several verbs have, and the checks of their values. */

import { AtomicError } from '../../base/errors.ts';
import { toPrintable } from '../../base/printable.ts';
import type { OptionTable } from '../../cli/arguments/command-spec.ts';

/** `--storage`, which every verb of the original accepted. OSTree is the only storage. */
export const storageOption = {
  storage: {
    kind: 'value',
    label: 'ostree',
    isCompatibility: true,
    description: 'The storage; ostree is the only one.',
  },
} as const;

/** Storages that only the original supported. */
const otherStorages = ['docker', 'containers-storage'];

/** @throws BAD_VALUE for another storage than `ostree`, in the words of the original (compatibility P-01) */
export function checkStorage(storage: string | undefined): void {
  if (storage === undefined || storage === 'ostree') return;
  throw new AtomicError(
    'BAD_VALUE',
    otherStorages.includes(storage)
      ? `The storage backend '${storage}' is not available.  Try with an alternate storage with --storage if available.`
      : `Unable to associate string '${toPrintable(storage, 80)}' with backend`,
    { hint: "'ostree' is the only storage: write --storage=ostree, or leave it out." },
  );
}

/** The options of `images list` and `containers list`. */
export const listOptions = {
  filter: {
    kind: 'list',
    label: 'NAME=VALUE',
    short: 'f',
    description: 'Show only lines where NAME contains VALUE, in upper or lower case. All filters must match.',
  },
  noheading: { kind: 'flag', short: 'n', description: 'Do not print the heading.' },
  json: { kind: 'flag', description: 'Print a JSON list.' },
} as const satisfies OptionTable;

/** Progress for programs, in every verb that may take long. `run-verb.ts` opens the descriptor. */
export const progressOption = {
  'progress-fd': {
    kind: 'value',
    label: 'N',
    description: 'Write the progress as JSON lines to the open file descriptor N.',
  },
} as const satisfies OptionTable;

/** The lower numbers are standard input, output and error. */
const FIRST_FREE = 3;

/**
 * Parses the value of `--progress-fd`.
 *
 * @returns a descriptor that is open for writing
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
    hint: 'Open the descriptor in the shell: atomic pull --progress-fd 3 IMAGE 3>FILE',
  });
}

/**
 * Checks `--system-package`. `auto` and `no` have the same effect: no rpm is built.
 *
 * @throws BAD_VALUE for `build` and `yes`, and for anything else in the words of compatibility N-08
 */
export function checkSystemPackage(mode: string | undefined): void {
  if (mode === undefined || mode === 'auto' || mode === 'no') return;
  if (mode === 'build' || mode === 'yes') {
    throw new AtomicError('BAD_VALUE', `--system-package=${mode}: building an rpm is not supported`, {
      hint: 'Write --system-package=no, or leave it out.',
    });
  }
  throw new AtomicError(
    'BAD_VALUE',
    "Invalid --system-package mode.  Accepted values: 'auto', 'build', 'no', 'yes'",
    { hint: "Only 'auto' and 'no' are supported." },
  );
}
