/**
 * Reads objects of the repository and compares their checksums. This module reads metadata objects, because the caller
 * needs their content too. libostree reads content objects on a worker thread; it handles owner, mode and xattrs in
 * every mode of a repository. An object that several images share is read once.
 */

import { lstatSync, readFileSync } from 'node:fs';
import { isErrno } from '../../base/file-error.ts';
import { formatCount } from '../../base/format-count.ts';
import { toPrintable } from '../../base/printable.ts';
import type { Host } from '../../host/host.ts';
import { throwIfInterrupted } from '../../host/interruption.ts';
import type { Checksum } from '../../image/checksum.ts';
import type { ObjectKind } from '../../image/verified-image.ts';
import { GErrorThrown, IoErrorCode, type Pointer } from '../../native/glib.ts';
import { formatObjectPath } from '../../ostree/object-files.ts';
import { toStoreError } from '../../ostree/store-error.ts';

/** libostree's own limit for metadata objects. */
const MAX_METADATA_BYTES = 128 * 1024 * 1024;
/** Time between two reports of progress. */
const REPORT_MILLISECONDS = 200;
const BYTES_PER_MB = 1_000_000;

type Verdict =
  | { readonly state: 'sound'; readonly bytes: number; readonly file: FileIdentity }
  | { readonly state: 'missing' | 'damaged'; readonly reason: string };

/** A text that differs after every change of a file, also of its owner, mode, xattrs and links. */
interface FileIdentity {
  readonly inode: number;
  /** Time of change in milliseconds, with their fraction. */
  readonly changed: number;
}

export class ObjectVerifier {
  readonly #host: Host;
  readonly #repo: Pointer;
  readonly #earlier: ObjectVerifier | undefined;
  readonly #verdicts = new Map<string, Verdict>();
  #bytes = 0;
  #reportedAt = 0;

  /** @param earlier verifier that has read objects before; unchanged objects are not read again */
  constructor(host: Host, repo: Pointer, earlier?: ObjectVerifier) {
    this.#host = host;
    this.#repo = repo;
    this.#earlier = earlier;
  }

  /** @throws INTERRUPTED */
  async check(kind: ObjectKind, checksum: Checksum): Promise<Verdict> {
    const known = this.find(kind, checksum);
    if (known !== undefined) return known;
    throwIfInterrupted(this.#host);
    const verdict = await this.#read(kind, checksum);
    this.#verdicts.set(formatObjectKey(kind, checksum), verdict);
    if (verdict.state === 'sound') this.#bytes += verdict.bytes;
    this.#report();
    return verdict;
  }

  /** @returns the verdict about an object that was read before */
  find(kind: ObjectKind, checksum: Checksum): Verdict | undefined {
    return this.#verdicts.get(formatObjectKey(kind, checksum));
  }

  /** Forgets an object that was replaced, so that it is read again. */
  forget(kind: ObjectKind, checksum: Checksum): void {
    this.#verdicts.delete(formatObjectKey(kind, checksum));
  }

  async #read(kind: ObjectKind, checksum: Checksum): Promise<Verdict> {
    const path = formatObjectPath(this.#host.locations.repository, checksum, kind);
    try {
      const { size, ino: inode, ctimeMs: changed } = lstatSync(path);
      const earlier = this.#earlier?.find(kind, checksum);
      const isSame =
        earlier?.state === 'sound' && earlier.file.inode === inode && earlier.file.changed === changed;
      if (isSame) return earlier;
      if (kind === 'file') await this.#checkFile(path, checksum);
      else checkMetadata(path, size, checksum);
      return { state: 'sound', bytes: size, file: { inode, changed } };
    } catch (error) {
      return describeFailure(error);
    }
  }

  async #checkFile(path: string, checksum: Checksum): Promise<void> {
    try {
      await (await import('../../native/ostree-check.ts')).checkFileObject(this.#repo, checksum);
    } catch (error) {
      if (!(error instanceof GErrorThrown) || this.#host.locations.repositoryMode !== 'bare') throw error;
      const { checksumWithoutLabel } = await import('./label-of-host.ts');
      if ((await checksumWithoutLabel(path)) !== checksum) throw error;
    }
  }

  #report(): void {
    const now = performance.now();
    if (now - this.#reportedAt < REPORT_MILLISECONDS) return;
    this.#reportedAt = now;
    const megabytes = Math.round(this.#bytes / BYTES_PER_MB);
    const objects = formatCount(this.#verdicts.size, 'object');
    this.#host.report({ kind: 'step', text: `Verifying: ${objects}, ${megabytes} MB` });
  }
}

/** Formats the key of an object for sets and maps. */
export function formatObjectKey(kind: ObjectKind, checksum: Checksum): string {
  return `${checksum}.${kind}`;
}

class WrongContent extends Error {}

function checkMetadata(path: string, size: number, checksum: Checksum): void {
  if (size > MAX_METADATA_BYTES) throw new WrongContent(`${size} bytes are too many`);
  const actual = new Bun.CryptoHasher('sha256').update(readFileSync(path)).digest('hex');
  if (actual !== checksum) throw new WrongContent(`its checksum is ${actual}`);
}

/** Errors that the machine or the user causes, and not the object. */
const FAILURES_OF_OURS = ['EMFILE', 'ENFILE', 'ENOMEM', 'EACCES', 'EPERM'];
const FAILURES_OF_LIBRARY: readonly number[] = [IoErrorCode.permissionDenied, IoErrorCode.tooManyOpenFiles];

/** An object that cannot be read counts as damaged: a bad sector causes EIO, a folder in its place EISDIR. */
function describeFailure(error: unknown): Verdict {
  if (isErrno(error, 'ENOENT')) return { state: 'missing', reason: 'it is not there' };
  const isOurs =
    error instanceof GErrorThrown
      ? error.domain === 'g-io-error-quark' && FAILURES_OF_LIBRARY.includes(error.code)
      : isErrno(error, ...FAILURES_OF_OURS);
  if (isOurs) throw toStoreError(error, 'verifying objects');
  const isSystemCall = error instanceof Error && 'syscall' in error;
  if (!(isSystemCall || error instanceof WrongContent || error instanceof GErrorThrown)) throw error;
  return { state: 'damaged', reason: describeReason(toPrintable(error.message)) };
}

/** Shortens the message of libostree, which repeats the name of the object. */
function describeReason(message: string): string {
  const actual = /actual='?([0-9a-f]{64})/.exec(message)?.[1];
  return actual === undefined ? message : `its checksum is ${actual}`;
}
