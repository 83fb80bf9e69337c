/**
 * Collects small files, whose content it copies into shared memory, and has them created: a few in this thread, many by the
 * worker. One file is open at a time.
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
  /** Place in the shared memory of the content of the open file, and of the byte after it. */
  start: number;
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

  /**
   * Copies a part of the content of the open file.
   *
   * @returns false when the file is larger than a batch, or all batches are full: a sparse file has much more content than its
   * part of the archive. The caller then takes the content and goes on without this class
   */
  append(bytes: Uint8Array): boolean {
    const batch = this.#findBatch(bytes.length);
    if (batch === undefined) return false;
    this.#memory.set(bytes, batch.next);
    batch.next += bytes.length;
    return true;
  }

  /** Takes the content of the open file out of the batch. @returns the content; valid until the next `append` */
  takeContent(): Uint8Array {
    const batch = this.#batch;
    if (batch === undefined) return new Uint8Array();
    const content = this.#memory.subarray(batch.start, batch.next);
    batch.next = batch.start;
    return content;
  }

  /** Ends the open file. */
  add(checksum: Checksum, meta: DirMeta): void {
    const batch = this.#findBatch(0);
    if (batch === undefined) {
      this.create(checksum, meta, new Uint8Array());
      return;
    }
    batch.files.push({ checksum, meta, start: batch.start, length: batch.next - batch.start });
    batch.start = batch.next;
    if (batch.files.length === BATCH_FILES) this.#send(batch);
  }

  /** Creates a file in this thread. */
  create(checksum: Checksum, meta: DirMeta, content: Uint8Array): void {
    this.#files.create(checksum, meta, content, this.#findApplyMeta(meta));
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
      if (this.#worker.isStarted) this.#send(batch);
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

  /** @param bytes that the open file gets in addition to its content. @returns `undefined` when they do not fit */
  #findBatch(bytes: number): OpenBatch | undefined {
    const batch = this.#batch;
    if (batch === undefined) {
      if (bytes <= BATCH_BYTES) this.#batch = this.#openBatch();
      return this.#batch;
    }
    if (batch.next + bytes <= (batch.number + 1) * BATCH_BYTES) return batch;
    if (batch.next - batch.start + bytes > BATCH_BYTES) return undefined;
    const following = this.#openBatch();
    if (following === undefined) return undefined;
    this.#memory.copyWithin(following.start, batch.start, batch.next);
    following.next += batch.next - batch.start;
    this.#send(batch);
    this.#batch = following;
    return following;
  }

  #openBatch(): OpenBatch | undefined {
    const number = this.#worker.takeBatch();
    if (number === undefined) return undefined;
    const start = number * BATCH_BYTES;
    return { number, files: [], start, next: start };
  }

  #send({ number, files }: OpenBatch): void {
    this.#batch = undefined;
    this.#worker.send(number, files);
  }

  /** An image of a few files is stored before a thread has started. */
  #createHere({ number, files }: OpenBatch): void {
    for (const { checksum, meta, start, length } of files) {
      this.create(checksum, meta, this.#memory.subarray(start, start + length));
    }
    this.#worker.giveBack(number);
  }

  #findApplyMeta(meta: DirMeta): ApplyMeta | undefined {
    if (this.#isBareUser) return applyBareUserMeta;
    return meta.xattrs.length > 0 ? applyBareMeta : undefined;
  }
}
