/**
 * Entry point of the worker, a second thread that creates the files of content objects while the main thread reads the
 * archive: creating files is most of the kernel's work in a pull. It creates them one after the other with synchronous calls,
 * because a promise and a hand-over for each file cost more than the file.
 */
import type { DirMeta } from '../../ostree/ostree-objects.ts';
import { type ApplyMeta, ContentFiles } from './content-files.ts';
import { type BatchAnswer, type BatchedFile, packError, parseBatch, type WorkerStage } from './file-batch.ts';
import { Room } from './room.ts';
import { StageFolder } from './stage-folder.ts';

declare const self: Worker;

let stage: (WorkerStage & { readonly files: ContentFiles }) | undefined;
/** Messages are handled in turn. */
let last = Promise.resolve();

self.onmessage = ({ data }: MessageEvent<WorkerStage | string>): void => {
  last = last.then(() => handle(data));
};

async function handle(message: WorkerStage | string): Promise<void> {
  if (typeof message === 'string') {
    const { batch, files } = parseBatch(message);
    postMessage(await createFiles(batch, files));
    return;
  }
  const { repository, folder, temporary, room } = message;
  const files = new ContentFiles(new StageFolder(repository, folder), temporary, new Room(room));
  stage = { ...message, files };
}

async function createFiles(batch: number, files: readonly BatchedFile[]): Promise<BatchAnswer> {
  try {
    if (stage === undefined) throw new Error('a batch without a stage');
    for (const { checksum, meta, start, length } of files) {
      const content = new Uint8Array(stage.memory, start, length);
      stage.files.create(checksum, meta, content, await findApplyMeta(stage, meta));
    }
    return batch;
  } catch (error) {
    return { batch, failure: packError(error) };
  }
}

/** The calls for extended attributes need koffi, which most pulls of root do without in this thread. */
async function findApplyMeta(
  { isBareUser }: WorkerStage,
  { xattrs }: DirMeta,
): Promise<ApplyMeta | undefined> {
  if (!isBareUser && xattrs.length === 0) return undefined;
  const { applyBareMeta, applyBareUserMeta } = await import('./apply-meta.ts');
  return isBareUser ? applyBareUserMeta : applyBareMeta;
}
