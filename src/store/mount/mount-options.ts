import { AtomicError } from '../../base/errors.ts';
import { toPrintable } from '../../base/printable.ts';

/** Options of mount(8) that restrict a mount, and so are allowed. */
const allowed = ['ro', 'nosuid', 'nodev', 'noexec', 'noatime', 'nodiratime', 'relatime'] as const;

export type MountOption = (typeof allowed)[number];

/** Options of every mount, because setuid files and devices of an image must have no effect on the host. */
const always: readonly MountOption[] = ['ro', 'nosuid', 'nodev'];

/**
 * Parses the values of `-o`. The original tool accepted all options and ignored them (compatibility X-28).
 *
 * @param lists lists of names, separated by commas
 * @returns the options and those that are always set, each once
 * @throws AtomicError BAD_VALUE for every other option
 */
export function parseMountOptions(lists: readonly string[]): readonly MountOption[] {
  const written = lists.flatMap((list) => list.split(',')).map((name) => name.trim());
  return [...new Set([...always, ...written.map(parseOption)])];
}

function parseOption(name: string): MountOption {
  const option = allowed.find((candidate) => candidate === name);
  if (option !== undefined) return option;
  throw new AtomicError('BAD_VALUE', `The mount option '${toPrintable(name, 80)}' is not supported`, {
    hint: `Mounts are always ro, nosuid and nodev; -o also takes ${allowed.slice(always.length).join(', ')}.`,
  });
}
