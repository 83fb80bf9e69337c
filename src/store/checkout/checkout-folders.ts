/**
 * The folders of containers that use a repository. Every prune keeps what their deployments need.
 *
 * ```
 * REPO/atomic-checkouts    one line for each folder: its path relative to REPO as a JSON string, `"../.."`
 * ```
 *
 * Containers are hard links, so their folder is on the filesystem of the repository, and the relative path is the same
 * at every mount point. The first install adds a line. A prune removes it when the folder has no containers.
 */
import { closeSync, fsyncSync, openSync, readFileSync, realpathSync, writeSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { tolerateMissing, withFileErrors } from '../../base/file-error.ts';
import { FileMode } from '../../base/file-mode.ts';
import { tryParseJson } from '../../base/json-text.ts';
import { removeFile, syncDirectory, writeFileDurably } from '../../host/files/durable-files.ts';
import type { Host } from '../../host/host.ts';

/** Adds CHECKOUTS, and syncs. The caller holds the store's lock, so no prune runs. */
export async function registerCheckouts({ locations }: Host): Promise<void> {
  const { checkouts, repository } = locations;
  if (listCheckouts(repository).includes(realpathSync(checkouts))) return;
  const path = formatListPath(repository);
  await withFileErrors(`write ${path}`, async () => {
    const file = openSync(path, 'a', FileMode.public);
    try {
      // One write, because another install may add a line at the same time. After a power cut the last line may be incomplete.
      const end = /[^\n]$/.test(readList(repository)) ? '\n' : '';
      writeSync(file, `${end}${formatLine(repository, checkouts)}`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  });
  await syncDirectory(repository);
}

/** Lists the folders of containers, sorted. Some may be missing. */
export function listCheckouts(repository: string): readonly string[] {
  const lines = readList(repository).split('\n').map(tryParseJson);
  const root = realpathSync(repository);
  const paths = lines.flatMap((line) => (typeof line === 'string' ? [resolve(root, line)] : []));
  return [...new Set(paths)].sort();
}

/** Replaces the list. The caller holds the store exclusively. */
export async function keepCheckouts({ locations }: Host, folders: readonly string[]): Promise<void> {
  const { repository } = locations;
  const text = [...folders]
    .sort()
    .map((folder) => formatLine(repository, folder))
    .join('');
  if (text === readList(repository)) return;
  // Removing the file needs no space.
  if (text === '') await removeFile(formatListPath(repository));
  else await writeFileDurably(formatListPath(repository), text, FileMode.public);
}

export function formatListPath(repository: string): string {
  return `${repository}/atomic-checkouts`;
}

function formatLine(repository: string, checkouts: string): string {
  return `${JSON.stringify(relative(realpathSync(repository), realpathSync(checkouts)))}\n`;
}

function readList(repository: string): string {
  return tolerateMissing(() => readFileSync(formatListPath(repository), 'utf8')) ?? '';
}
