/**
 * What the main thread and the worker send each other. The content of files is in memory that both share: copying it into a
 * message, or handing buffers over, costs more than the rest of the message. Messages are text, which costs least.
 */

import { AtomicError } from '../../base/errors.ts';
import { type Checksum, toChecksum } from '../../image/checksum.ts';
import type { DirMeta, Xattr } from '../../ostree/ostree-objects.ts';
import { noRoom } from './room.ts';

/** Bytes of one batch. Batches have fixed places in the shared memory. */
export const BATCH_BYTES = 1024 * 1024;
/** Number of files after which a batch is full, however small they are. */
export const BATCH_FILES = 1024;

/** The stage in which the files of the following batches are created. The only message that is not text. */
export interface WorkerStage {
  readonly repository: string;
  readonly folder: string;
  readonly temporary: string;
  readonly isBareUser: boolean;
  readonly room: SharedArrayBuffer;
  /** Memory of all batches. */
  readonly memory: SharedArrayBuffer;
}

export interface BatchedFile {
  readonly checksum: Checksum;
  readonly meta: DirMeta;
  /** Place of the content in the shared memory. */
  readonly start: number;
  readonly length: number;
}

/** The number of the batch, as in the message; after a failure with the first error. Later files were not created. */
export type BatchAnswer = number | { readonly batch: number; readonly failure: SentError };

/** An error without its class. */
type SentError =
  | { readonly kind: 'no room' }
  | {
      readonly kind: 'error';
      readonly message: string;
      readonly properties: Readonly<Record<string, unknown>>;
    };

/** @returns a line with the number of the batch, and one for each file; bytes of attributes are in base64 */
export function formatBatch(batch: number, files: readonly BatchedFile[]): string {
  let text = String(batch);
  for (const { checksum, start, length, meta } of files) {
    text += `\n${checksum} ${start} ${length} ${meta.uid} ${meta.gid} ${meta.mode}`;
    for (const [name, value] of meta.xattrs) {
      text += ` ${name.toString('base64')}:${value.toString('base64')}`;
    }
  }
  return text;
}

/** @param text text of `formatBatch` */
export function parseBatch(text: string): { readonly batch: number; readonly files: readonly BatchedFile[] } {
  const [batch, ...lines] = text.split('\n');
  return { batch: Number(batch), files: lines.map(parseFile) };
}

function parseFile(line: string): BatchedFile {
  const [checksum = '', start, length, uid, gid, mode, ...attributes] = line.split(' ');
  const xattrs = attributes.map((attribute): Xattr => {
    const [name = '', value = ''] = attribute.split(':');
    return [Buffer.from(name, 'base64'), Buffer.from(value, 'base64')];
  });
  const meta = { uid: Number(uid), gid: Number(gid), mode: Number(mode), xattrs };
  return { checksum: toChecksum(checksum), start: Number(start), length: Number(length), meta };
}

export function packError(error: unknown): SentError {
  if (error instanceof AtomicError && error.code === 'NO_SPACE') return { kind: 'no room' };
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  return { kind: 'error', message, properties: { ...Object(error), stack } };
}

export function unpackError(sent: SentError): Error {
  return sent.kind === 'no room' ? noRoom() : Object.assign(new Error(sent.message), sent.properties);
}
