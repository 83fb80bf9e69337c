/**
 * Writes refs as files. libostree writes each ref under a temporary name in the folder of the refs, where a kill leaves it
 * for ever, and syncs each by itself. In a transaction it sets them in an unspecified order.
 */

import { linkSync, mkdirSync, renameSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { AtomicError } from '../base/errors.ts';
import { describeFailure, tolerateMissing } from '../base/file-error.ts';
import { FileMode } from '../base/file-mode.ts';
import { syncDirectory } from '../host/files/durable-files.ts';
import { unlinkIfThere } from '../host/files/unlink-file.ts';
import type { Checksum } from '../image/checksum.ts';
import { makeWaitingPath } from './waiting-files.ts';

/** A ref whose content is written under a temporary name. */
export interface PreparedRef {
  /** Name of the ref, such as `ociimage/...`. */
  readonly ref: string;
  /** Path of the file with its content. */
  readonly path: string;
}

/** Writes the content of a ref under a temporary name, without a sync. */
export function prepareRef(repository: string, ref: string, commit: Checksum): PreparedRef {
  const path = makeWaitingPath(repository);
  try {
    writeFileSync(path, `${commit}\n`, { flag: 'wx', mode: FileMode.public });
  } catch (error) {
    unlinkIfThere(path);
    throw error;
  }
  return { ref, path };
}

export function discardRefs(refs: readonly PreparedRef[]): void {
  for (const { path } of refs) unlinkIfThere(path);
}

/**
 * Renames refs to their names, and syncs those once. The caller has synced the contents. After a failure some refs may have
 * their names.
 */
export async function placeRefs(repository: string, refs: readonly PreparedRef[]): Promise<void> {
  const folders = new Set<string>();
  for (const { ref, path } of refs) {
    const target = formatRefPath(repository, ref);
    const folder = dirname(target);
    if (mkdirSync(folder, { recursive: true }) !== undefined) folders.add(dirname(folder));
    folders.add(folder);
    renameSync(path, target);
  }
  for (const folder of folders) await syncDirectory(folder);
  // libostree does this after each change: programs that watch a repository look at this time.
  const now = new Date();
  utimesSync(repository, now, now);
}

/**
 * As `placeRefs`, for one ref. After a failure the old ref is restored, if the filesystem still accepts writes.
 *
 * @throws AtomicError STORE_FAILED when the old ref could not be restored; failed system calls
 */
export async function replaceRef(repository: string, prepared: PreparedRef): Promise<void> {
  const { ref } = prepared;
  const kept = keepOld(repository, ref);
  try {
    await placeRefs(repository, [prepared]);
    if (kept !== undefined) unlinkSync(kept);
  } catch (error) {
    putBack(repository, ref, kept, error);
    throw error;
  }
}

/** @returns a second name of the ref, from which it can be restored on a full disk; `undefined` when there is no ref */
function keepOld(repository: string, ref: string): string | undefined {
  const kept = makeWaitingPath(repository);
  return tolerateMissing(() => {
    linkSync(formatRefPath(repository, ref), kept);
    return kept;
  });
}

function putBack(repository: string, ref: string, kept: string | undefined, cause: unknown): void {
  const target = formatRefPath(repository, ref);
  try {
    if (kept === undefined) unlinkIfThere(target);
    else renameSync(kept, target);
    // A rename onto another hard link of the same file does nothing and keeps both names.
    if (kept !== undefined) unlinkIfThere(kept);
  } catch (error) {
    throw new AtomicError(
      'STORE_FAILED',
      `setting the ref ${ref}: ${describeFailure(cause)}; the old ref could not be restored: ${describeFailure(error)}`,
      { cause, hint: 'The name may stand for the old image or the new one: see `atomic images list`.' },
    );
  }
}

function formatRefPath(repository: string, ref: string): string {
  return `${repository}/refs/heads/${ref}`;
}
