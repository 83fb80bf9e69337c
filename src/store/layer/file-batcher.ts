/**
 * Collects small files, whose content it copies into shared memory, and has them created: a few at once in this thread, many by
 * the worker.
 */
import type { Checksum } from '../../image/checksum.ts';
import type { DirMeta } from '../../ostree/ostree-objects.ts';
import { applyBareMeta, applyBareUserMeta } from './apply-meta.ts';
import { type ApplyMeta, ContentFiles } from './content-files.ts';
import { BATCH_BYTES, BATCH_FILES, type BatchedFile } from './file-batch.ts';
import type { FileWorker } from './file-worker.ts';
import type { Room } from './room.ts';
import type { StageFolder } from './stage-folder.ts';

/** Batches that a part of an archive may fill; see `INFLATED_CHUNK_BYTES`. */
const BATCHES_AHEAD = 2;

interface BatcherOptions {
  /** Unused path for the file that this thread writes; the worker adds something to the name. */
  readonly temporary: string;
  readonly isBareUser: boolean;
  readonly room: Room;
}

interface OpenBatch {
  readonly number: number;
  readonly files: BatchedFile[];
  /** Place in the shared memory where the next content begins. */
  next: number;
}

export class FileBatcher {
  readonly #worker: FileWorker;
  readonly #isBareUser: boolean;
  /** Creates files in this thread. */
  readonly #files: ContentFiles;
  /** Memory of all batches. */
  readonly #memory: Uint8Array;
  #batch: OpenBatch | undefined;

  constructor(folder: StageFolder, worker: FileWorker, { temporary, isBareUser, room }: BatcherOptions) {
    this.#worker = worker;
    this.#memory = new Uint8Array(worker.memory);
    this.#isBareUser = isBareUser;
    this.#files = new ContentFiles(folder, temporary, room);
    worker.open({
      repository: folder.repository,
      folder: folder.path,
      temporary: `${temporary}-batched`,
      isBareUser,
      room: room.shared,
    });
  }

  /** @param content at most `BATCH_BYTES`, in parts, which the caller may change afterwards */
  add(checksum: Checksum, meta: DirMeta, content: readonly Uint8Array[]): void {
    const length = content.reduce((sum, part) => sum + part.length, 0);
    const batch = this.#findBatch(length);
    if (batch === undefined) {
      // All batches are full: a sparse file has much more content than its part of the archive.
      this.#files.create(checksum, meta, Buffer.concat(content), this.#findApplyMeta(meta));
      return;
    }
    const start = batch.next;
    for (const part of content) {
      this.#memory.set(part, batch.next);
      batch.next += part.length;
    }
    batch.files.push({ checksum, meta, start, length });
  }

  /** Waits until the next part of the archive has room. @throws the first error of creating files */
  async settle(): Promise<void> {
    await this.#worker.settle(BATCHES_AHEAD);
  }

  /** Creates the remaining files. @throws as `settle` */
  async finish(): Promise<void> {
    const batch = this.#batch;
    this.#batch = undefined;
    if (batch !== undefined) {
      if (this.#worker.isStarted) this.#worker.send(batch.number, batch.files);
      else this.#createHere(batch);
    }
    await this.#worker.finish();
  }

  /** Drops the files that are not created yet. */
  async end(): Promise<void> {
    if (this.#batch !== undefined) this.#worker.giveBack(this.#batch.number);
    this.#batch = undefined;
    await this.#worker.end();
  }

  #findBatch(length: number): OpenBatch | undefined {
    const batch = this.#batch;
    if (batch !== undefined) {
      const end = (batch.number + 1) * BATCH_BYTES;
      if (batch.next + length <= end && batch.files.length < BATCH_FILES) return batch;
      this.#worker.send(batch.number, batch.files);
    }
    const number = this.#worker.takeBatch();
    this.#batch = number === undefined ? undefined : { number, files: [], next: number * BATCH_BYTES };
    return this.#batch;
  }

  /** An image of a few files is stored before a thread has started. */
  #createHere({ number, files }: OpenBatch): void {
    for (const { checksum, meta, start, length } of files) {
      const content = this.#memory.subarray(start, start + length);
      this.#files.create(checksum, meta, content, this.#findApplyMeta(meta));
    }
    this.#worker.giveBack(number);
  }

  #findApplyMeta(meta: DirMeta): ApplyMeta | undefined {
    if (this.#isBareUser) return applyBareUserMeta;
    return meta.xattrs.length > 0 ? applyBareMeta : undefined;
  }
}
