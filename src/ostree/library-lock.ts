/**
 * The lock that libostree takes on a repository, `REPO/.lock`: shared for a transaction, exclusively to remove objects.
 * libostree waits up to five minutes for another program, without a message and without handling signals. So this module
 * waits first, and calls libostree when the lock is free. (libostree still waits if another program takes it in between.)
 */
import { readFileSync } from 'node:fs';
import { AtomicError } from '../base/errors.ts';
import type { Host } from '../host/host.ts';
import { withByteLock } from '../host/locks/byte-lock.ts';
import type { Pointer } from '../native/glib.ts';

/** `F_OFD_SETLK` on the whole file. */
const WHOLE_FILE = { start: 0, length: 0 } as const;
const DEFAULT_LIMIT_SECONDS = 300;

/**
 * Opens the transaction of the repository as soon as no other program holds the exclusive lock. Must not be called while
 * this process holds it: a transaction needs no other lock then.
 *
 * @throws AtomicError LOCK_BUSY when libostree's time limit is over; INTERRUPTED, READ_ONLY, STORE_FAILED; GErrorThrown
 */
export async function openTransaction(host: Host, repo: Pointer): Promise<void> {
  const { beginTransaction } = await import('../native/ostree.ts');
  await withLibraryLock(host, 'shared', async () => beginTransaction(repo));
}

/**
 * Takes the exclusive lock as soon as no other program uses the repository.
 *
 * @throws as `openTransaction`
 */
export async function lockRepository(host: Host, repo: Pointer): Promise<void> {
  const { lockExclusively } = await import('../native/ostree-lock.ts');
  // This lock is released again: libostree locks an open file of its own.
  await withLibraryLock(host, 'exclusive', async () => undefined);
  await lockExclusively(repo);
}

function withLibraryLock<T>(host: Host, mode: 'shared' | 'exclusive', action: () => Promise<T>): Promise<T> {
  const { repository } = host.locations;
  const limit = readLimit(repository);
  return withByteLock(
    host,
    {
      ...WHOLE_FILE,
      path: `${repository}/.lock`,
      mode,
      object: `the repository ${repository}`,
      checkWait(milliseconds) {
        if (milliseconds >= limit) throw buildBusy(limit);
      },
    },
    action,
  );
}

/** @returns `lock-timeout-secs` of ostree.repo-config(5), in milliseconds; -1 for no limit */
function readLimit(repository: string): number {
  const config = readFileSync(`${repository}/config`, 'utf8');
  const written = /^\s*lock-timeout-secs\s*=\s*(-?\d+)/m.exec(config)?.[1];
  const seconds = written === undefined ? DEFAULT_LIMIT_SECONDS : Number(written);
  return seconds < 0 ? Number.POSITIVE_INFINITY : seconds * 1000;
}

function buildBusy(limit: number): AtomicError {
  return new AtomicError(
    'LOCK_BUSY',
    `locking the image store: another program has held the repository for ${limit / 1000} s`,
    { hint: 'Wait until that program has ended, and repeat the command.' },
  );
}
