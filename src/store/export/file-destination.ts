/** Checks the destination of an export. An export overwrites no file. */
import { constants } from 'node:fs';
import { access, lstat, readdir, readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AtomicError } from '../../base/errors.ts';
import { isErrno, tolerateMissingAsync, withFileErrors } from '../../base/file-error.ts';
import { isJsonObject, tryParseJson } from '../../base/json-text.ts';
import type { FileDestination } from '../../image/export-destination.ts';

const LAYOUT_INDEX = 'index.json';
const REF_NAME = 'org.opencontainers.image.ref.name';

/**
 * Checks the destination of an export before the work begins.
 *
 * @returns whether the folder exists, as an OCI layout or empty: the export writes into it
 * @throws AtomicError FILE_CONFLICT when the export would overwrite a file; READ_ONLY, STORE_FAILED when the destination
 * cannot be written
 */
export async function checkFileDestination(destination: FileDestination): Promise<{ isThere: boolean }> {
  const { kind, path } = destination;
  const parent = dirname(path);
  return withFileErrors(`write ${path}`, async () => {
    const isThere = await exists(path);
    if (isThere) await checkExisting(destination);
    const isFile = kind === 'oci-archive' || kind === 'docker-archive';
    if (isFile && !(await exists(parent))) {
      throw new AtomicError('STORE_FAILED', `write ${path}: there is no folder ${parent}`, {
        hint: `Make it first: mkdir -p ${parent}`,
      });
    }
    await access(isThere ? path : await findFolder(parent), constants.W_OK);
    return { isThere };
  });
}

async function checkExisting(destination: FileDestination): Promise<void> {
  const { kind, path } = destination;
  if (kind === 'oci-archive' || kind === 'docker-archive') {
    const isFile = (await lstat(path)).isFile();
    const hint = isFile ? `Write another file, or remove it first: rm ${path}` : 'Write another path.';
    throw conflict(path, 'it is there already', hint);
  }
  const isFolder = await isDirectory(path);
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
  // An index that is not JSON has no tags; skopeo reports the fault.
  const index = tryParseJson(await readFile(indexPath, 'utf8'));
  const manifests = isJsonObject(index) && Array.isArray(index.manifests) ? index.manifests : [];
  return manifests.map((entry: unknown) => {
    const annotations = isJsonObject(entry) ? entry.annotations : undefined;
    const tag = isJsonObject(annotations) ? annotations[REF_NAME] : undefined;
    return typeof tag === 'string' ? tag : undefined;
  });
}

async function isDirectory(path: string): Promise<boolean> {
  return (await tolerateMissingAsync(async () => (await stat(path)).isDirectory())) ?? false;
}

/** @returns the nearest existing parent folder */
async function findFolder(path: string): Promise<string> {
  if (await exists(path)) return path;
  return findFolder(dirname(path));
}

async function exists(path: string): Promise<boolean> {
  try {
    // A dangling symlink counts as existing.
    await lstat(path);
    return true;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false;
    if (isErrno(error, 'ENOTDIR')) {
      throw conflict(path, `${dirname(path)} is not a folder`, 'Write another path.');
    }
    throw error;
  }
}

/** Builds the error for a destination that cannot be used. @param reason what is at the path */
export function conflict(path: string, reason: string, hint: string): AtomicError {
  return new AtomicError('FILE_CONFLICT', `write ${path}: ${reason}`, { hint, details: { path } });
}
