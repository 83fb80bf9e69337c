import { AtomicError } from '../../base/errors.ts';
import { toPrintable } from '../../base/printable.ts';

/** Options of mount(8) that take something away from a mount, and so may be asked for. */
const allowed = ['ro', 'nosuid', 'nodev', 'noexec', 'noatime', 'nodiratime', 'relatime'] as const;

export type MountOption = (typeof allowed)[number];

/** What every mount has: an image is a stranger, whose setuid files and devices must not count on the host. */
const always: readonly MountOption[] = ['ro', 'nosuid', 'nodev'];

/**
 * Parses the values of `-o`. The original took any and ignored all (compatibility X-28).
 *
 * @param lists each with names separated by commas
 * @returns with those that are always set, each once
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
