/** Checks whether a filesystem has enough space. */
import { AtomicError } from '../base/errors.ts';

/** The space and the files that are needed at least. */
interface NeededSpace {
  readonly bytes: number;
  readonly inodes: number;
}

export interface AvailableSpace {
  /** Absolute path of a folder on the filesystem. */
  readonly path: string;
  /** Free bytes minus `reserved`. */
  readonly bytes: number;
  /** Bytes that the repository's configuration keeps free. */
  readonly reserved: number;
  /** Number of free inodes; `undefined` where the filesystem creates them on demand. */
  readonly inodes: number | undefined;
}

/** @throws AtomicError NO_SPACE with the numbers in its details */
export function checkSpace(needed: NeededSpace, available: AvailableSpace): void {
  const { path, bytes, reserved, inodes } = available;
  const reasons: string[] = [];
  if (needed.bytes > bytes) {
    reasons.push(
      `at least ${needed.bytes} bytes are needed, ${bytes} are free beside ${reserved} that must stay free`,
    );
  }
  if (inodes !== undefined && needed.inodes > inodes) {
    reasons.push(`at least ${needed.inodes} files are needed, ${inodes} can be made`);
  }
  if (reasons.length === 0) return;
  throw new AtomicError('NO_SPACE', `it does not fit into ${path}: ${reasons.join('; ')}`, {
    hint: `Free some space there and pull again; nothing was fetched. See df ${path} .`,
    details: {
      path,
      bytesNeeded: needed.bytes,
      bytesAvailable: bytes,
      bytesReserved: reserved,
      inodesNeeded: needed.inodes,
      inodesAvailable: inodes ?? null,
    },
  });
}
