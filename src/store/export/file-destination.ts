/** Files that an export is to write: nothing that is there is written over, nothing half written stays. */
import { constants } from 'node:fs';
import { access, readdir, readFile, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AtomicError } from '../../core/errors.ts';
import type { FileDestination } from '../../core/export-destination.ts';
import { isJsonObject, tryParseJson } from '../../core/json-text.ts';
import { isErrno, withFileErrors } from '../../host/file-error.ts';

const LAYOUT_INDEX = 'index.json';
const REF_NAME = 'org.opencontainers.image.ref.name';

export interface CheckedDestination {
  /** After a failure: takes away what was not there before. */
  removePartial(): Promise<void>;
}

/**
 * @throws AtomicError FILE_CONFLICT when something is there; READ_ONLY, STORE_FAILED when it cannot be written
 */
export async function checkFileDestination(destination: FileDestination): Promise<CheckedDestination> {
  const { kind, path } = destination;
  return withFileErrors(`write ${path}`, async () => {
    const isThere = await exists(path);
    if (isThere) await checkExisting(destination);
    await access(isThere ? path : await findFolder(dirname(path)), constants.W_OK);
    return {
      async removePartial() {
        // Blobs that were added to a layout are in no index, and harm nobody.
        if (!isThere) await rm(path, { recursive: kind === 'oci' || kind === 'dir', force: true });
      },
    };
  });
}

async function checkExisting(destination: FileDestination): Promise<void> {
  const { kind, path } = destination;
  if (kind === 'oci-archive' || kind === 'docker-archive') {
    throw conflict(path, 'it is there already', `Write another file, or remove it first: rm ${path}`);
  }
  const isFolder = (await stat(path)).isDirectory();
  if (!isFolder) throw conflict(path, 'it is not a folder', 'Write another path.');
  const names = await readdir(path);
  if (names.length === 0) return;
  if (kind === 'dir') throw conflict(path, 'it is not empty', 'Write another folder.');
  if (!names.includes(LAYOUT_INDEX)) throw conflict(path, 'it is not an OCI layout', 'Write another folder.');
  if ((await listTags(`${path}/${LAYOUT_INDEX}`)).includes(destination.tag)) {
    const tag = destination.tag === undefined ? 'an image without a tag' : `the tag ${destination.tag}`;
    throw conflict(path, `it has ${tag} already`, `Write another tag: oci:${path}:TAG`);
  }
}

async function listTags(indexPath: string): Promise<(string | undefined)[]> {
  // One that is no JSON has no tags; skopeo says what is wrong with it.
  const index = tryParseJson(await readFile(indexPath, 'utf8'));
  const manifests = isJsonObject(index) && Array.isArray(index.manifests) ? index.manifests : [];
  return manifests.map((entry: unknown) => {
    const annotations = isJsonObject(entry) ? entry.annotations : undefined;
    const tag = isJsonObject(annotations) ? annotations[REF_NAME] : undefined;
    return typeof tag === 'string' ? tag : undefined;
  });
}

/** The nearest folder above that is there. */
async function findFolder(path: string): Promise<string> {
  if (await exists(path)) return path;
  return findFolder(dirname(path));
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false;
    throw error;
  }
}

function conflict(path: string, reason: string, hint: string): AtomicError {
  return new AtomicError('FILE_CONFLICT', `write ${path}: ${reason}`, { hint, details: { path } });
}
