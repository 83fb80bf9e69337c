/** Folders for one test, on the real filesystem: hard links, xattrs and `syncfs` behave as on a host. */
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';

export interface TemporaryFolder extends AsyncDisposable {
  readonly path: string;
  /** The path of something in the folder. */
  join(...names: string[]): string;
  /** Removes the folder; a second call does nothing. */
  remove(): Promise<void>;
}

/** Use with `await using folder = await createTemporaryFolder()`, or call `remove()` in `afterAll`. */
export async function createTemporaryFolder(purpose = 'test'): Promise<TemporaryFolder> {
  const path = await mkdtemp(`/var/tmp/atomic-${purpose}-`);
  const remove = (): Promise<void> => rm(path, { recursive: true, force: true });
  return { path, join: (...names) => join(path, ...names), remove, [Symbol.asyncDispose]: remove };
}
