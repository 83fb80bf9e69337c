/** Reads files and folders that may be missing. Any other failure is an error for a person. */
import type { Dirent } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { tolerateMissingAsync, withFileErrors } from '../../base/file-error.ts';

/** @returns the text of a file; `undefined` when there is none */
export async function findText(path: string): Promise<string | undefined> {
  return withFileErrors(`read ${path}`, () => tolerateMissingAsync(() => readFile(path, 'utf8')));
}

/**
 * @returns the entries of a folder; empty when there is no folder. They are sorted by their names as UTF-16, so that the
 * order does not depend on the language of the host
 */
export async function listFolder(folder: string): Promise<readonly Dirent[]> {
  const entries = await withFileErrors(`read ${folder}`, () =>
    tolerateMissingAsync(() => readdir(folder, { withFileTypes: true })),
  );
  return (entries ?? []).sort((a, b) => (a.name < b.name ? -1 : 1));
}
