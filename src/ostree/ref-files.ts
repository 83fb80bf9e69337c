/**
 * Writes refs as files. libostree would write each under a name in the folder of the refs first, where a kill leaves it
 * for ever, and sync each by itself; and in a transaction it sets them in an order of its own.
 */
import { linkSync, mkdirSync, renameSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { AtomicError } from '../base/errors.ts';
import { isErrno } from '../base/file-error.ts';
import { syncDirectory } from '../host/files/durable-files.ts';
import { unlinkIfThere } from '../host/files/unlink-file.ts';
import { makeWaitingPath } from './waiting-files.ts';

/** A ref whose content is written and that has not got its name yet. */
export interface PreparedRef {
  /** Such as `ociimage/...`. */
  readonly ref: string;
  /** Of the file with its content. */
  readonly path: string;
}

/** Writes the content of a ref where it waits, not synced. */
export function prepareRef(repository: string, ref: string, commit: string): PreparedRef {
  const path = makeWaitingPath(repository);
  try {
    writeFileSync(path, `${commit}\n`, { flag: 'wx', mode: 0o644 });
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
 * Gives refs their names, and brings those to the disk with one sync. The caller has synced the contents. When this
 * fails, some have got theirs.
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
  // As libostree does after each change: programs that watch a repository look at this.
  const now = new Date();
  utimesSync(repository, now, now);
}

/**
 * As `placeRefs`, for one ref: when this fails, it is as it was, as far as the filesystem still obeys.
 *
 * @throws AtomicError STORE_FAILED, which says so when the old one could not be put back; failed system calls
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

/** @returns a second name of the ref; that needs no block of a full disk to be put back. None when there is no ref */
function keepOld(repository: string, ref: string): string | undefined {
  const kept = makeWaitingPath(repository);
  try {
    linkSync(formatRefPath(repository, ref), kept);
    return kept;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function putBack(repository: string, ref: string, kept: string | undefined, cause: unknown): void {
  const target = formatRefPath(repository, ref);
  try {
    if (kept === undefined) unlinkIfThere(target);
    else renameSync(kept, target);
    // A rename to another name of the same file does nothing, and leaves both.
    if (kept !== undefined) unlinkIfThere(kept);
  } catch (error) {
    throw new AtomicError(
      'STORE_FAILED',
      `setting the ref ${ref}: ${describe(cause)}; the old one could not be put back: ${describe(error)}`,
      { cause, hint: 'The name may stand for the old image or the new one: see `atomic images list`.' },
    );
  }
}

function formatRefPath(repository: string, ref: string): string {
  return `${repository}/refs/heads/${ref}`;
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
