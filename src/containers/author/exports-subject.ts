/** Finds the files of `/exports` that an author names: those of a stored image, or a folder on this machine. */
import { existsSync } from 'node:fs';
import { AtomicError, addHint } from '../../base/errors.ts';
import type { Host } from '../../host/host.ts';
import { dropRegistryPrefix } from '../../image/source-name.ts';
import { withSecondLook } from '../../store/access/store-lock.ts';
import { readConfiguration } from '../../store/describe-image.ts';
import { readImage } from '../../store/find-image.ts';
import { describeImageSubject, type ExportsSubject } from '../prepare/preview-exports.ts';
import { isFolderPath, openExportsFolder } from './exports-folder.ts';

/**
 * Runs an action with the files that an argument names: a path that begins with `/` or `.`, or ends with `/`, is a folder;
 * anything else is a stored image.
 *
 * @throws IMAGE_NOT_FOUND, BAD_REFERENCE, BAD_VALUE, SOURCE_UNREADABLE, STORE_CORRUPT, and those of the action
 */
export async function withExportsSubject<T>(
  host: Host,
  written: string,
  action: (host: Host, subject: ExportsSubject) => Promise<T>,
): Promise<T> {
  if (isFolderPath(written)) {
    const { path, tree, walkHostFiles } = openExportsFolder(written);
    return action(host, { label: path, tree, folder: path, image: undefined, walk: walkHostFiles });
  }
  return withImageSubject(host, written, action);
}

/** @throws IMAGE_NOT_FOUND, BAD_REFERENCE, STORE_CORRUPT, and those of the action */
export async function withImageSubject<T>(
  host: Host,
  written: string,
  action: (host: Host, subject: ExportsSubject) => Promise<T>,
): Promise<T> {
  return withSecondLook(host, async (looking) => {
    const image = await readImage(looking, written).catch((error: unknown) => {
      throw adviseFolder(error, written);
    });
    const { config } = await readConfiguration(looking, image);
    return action(looking, describeImageSubject(looking, image, config));
  });
}

function adviseFolder(error: unknown, written: string): unknown {
  if (!(error instanceof AtomicError)) return error;
  if (existsSync(written)) return addHint(error, `For the folder of that name, write ./${written}.`);
  return error.code === 'IMAGE_NOT_FOUND'
    ? addHint(error, `Fetch it first: \`atomic pull ${dropRegistryPrefix(written)}\`.`)
    : error;
}
