/**
 * The main thread's side of the worker (`object-worker.ts`). At most 8 MiB of content are on their way: the caller waits for
 * free batches before it reads on, so that memory is bounded for every archive.
 */
import {
  BATCH_BYTES,
  type BatchAnswer,
  type BatchedFile,
  formatBatch,
  unpackError,
  type WorkerStage,
} from './file-batch.ts';

const MAX_BATCHES = 8;

/** Serves all layers of a pull. The worker is started with the first batch. */
export class FileWorker implements Disposable {
  /** The kernel gives memory to the pages that are used. */
  readonly memory = new SharedArrayBuffer(MAX_BATCHES * BATCH_BYTES);
  /** Numbers of unused batches; the first ones are used most. */
  readonly #free = Array.from({ length: MAX_BATCHES }, (_, index) => MAX_BATCHES - 1 - index);
  #worker: Worker | undefined;
  #stage: WorkerStage | undefined;
  #isStageSent = false;
  #unanswered = 0;
  #failure: Error | undefined;
  readonly #waiting: (() => void)[] = [];

  get isStarted(): boolean {
    return this.#worker !== undefined;
  }

  /** Chooses the stage of the next batches. All batches of the stage before have ended. */
  open(stage: Omit<WorkerStage, 'memory'>): void {
    this.#stage = { ...stage, memory: this.memory };
    this.#isStageSent = false;
    this.#failure = undefined;
  }

  /** @returns number of a batch, whose place in the memory is a multiple of `BATCH_BYTES`; `undefined` when all are in use */
  takeBatch(): number | undefined {
    return this.#free.pop();
  }

  giveBack(batch: number): void {
    this.#free.push(batch);
    this.#wake();
  }

  /** @param batch number of `takeBatch`, which the worker has until it gives it back */
  send(batch: number, files: readonly BatchedFile[]): void {
    this.#worker ??= this.#start();
    if (!this.#isStageSent) this.#worker.postMessage(this.#stage);
    this.#isStageSent = true;
    this.#unanswered += 1;
    this.#worker.postMessage(formatBatch(batch, files));
  }

  /**
   * Waits until this number of batches is free.
   *
   * @throws the first error of a file of this stage
   */
  async settle(batches: number): Promise<void> {
    await this.#wait(() => this.#free.length >= batches);
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Waits until no batch is on its way. @throws as `settle` */
  async finish(): Promise<void> {
    await this.end();
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Waits until no batch is on its way, and ignores errors. */
  async end(): Promise<void> {
    await this.#wait(() => false);
  }

  [Symbol.dispose](): void {
    this.#worker?.terminate();
    this.#worker = undefined;
  }

  /** Waits until a condition holds, or no batch is on its way. */
  async #wait(isReached: () => boolean): Promise<void> {
    while (this.#unanswered > 0 && !isReached()) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  #start(): Worker {
    const worker = new Worker(new URL('./object-worker.ts', import.meta.url).href);
    worker.onmessage = ({ data }: MessageEvent<BatchAnswer>): void => {
      this.#unanswered -= 1;
      if (typeof data === 'number') this.giveBack(data);
      else {
        this.#failure ??= unpackError(data.failure);
        this.giveBack(data.batch);
      }
    };
    worker.onerror = ({ message }): void => this.#lose(message);
    worker.addEventListener('close', () => this.#lose('no reason is known'));
    return worker;
  }

  /** No batch is answered any more. */
  #lose(reason: string): void {
    this.#failure ??= new Error(`the thread that writes files has ended: ${reason}`);
    this.#unanswered = 0;
    this.#wake();
  }
}
