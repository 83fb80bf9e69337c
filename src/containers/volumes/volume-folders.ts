/**
 * The folders of the host for the volumes of a container. They last: only `uninstall --purge` removes them.
 *
 * ```
 * STATE_DIRECTORY/NAME/volumes/
 *   .atomic          says that the folder belongs to this container; written before the first volume
 *   .atomic-new      a volume that is being filled; the next command removes what a crash has left
 *   var/lib/         the volume /var/lib
 * ```
 */
import { lstat, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AtomicError } from '../../base/errors.ts';
import { isErrno, tolerateMissingAsync, withFileErrors } from '../../base/file-error.ts';
import { toPrintable } from '../../base/printable.ts';
import { isNameTaken } from '../../host/files/existing-paths.ts';
import type { Host } from '../../host/host.ts';
import { buildNamedFolder } from '../consent/own-folders.ts';
import { readContainer } from '../read-container.ts';
import type { ImageVolume, NewVolumes, PlannedVolume } from '../render/config/image-volumes.ts';

/** `STATE_DIRECTORY` of a container whose values are unknown. */
const usualState = '/var/lib';

/** @returns undefined when `STATE_DIRECTORY` is no absolute path */
export function buildVolumesRoot(name: string, state: string | number | undefined): string | undefined {
  const folder = String(state).split('/').includes('..') ? undefined : buildNamedFolder(name, state);
  return folder === undefined ? undefined : `${folder}/volumes`;
}

export function markerOf(root: string): string {
  return `${root}/.atomic`;
}

export function unfinishedOf(root: string): string {
  return `${root}/.atomic-new`;
}

export function formatVolumesMarker(name: string): string {
  return `# The volumes of the container ${name}, made by atomic\n`;
}

/**
 * Looks at the folders of the volumes of an image.
 *
 * @throws BAD_VALUE; FILE_CONFLICT when one of them belongs to another program, or is no folder
 */
export async function planVolumes(
  values: Readonly<Record<string, string | number>>,
  volumes: readonly ImageVolume[],
  owner: PlannedVolume['owner'],
): Promise<readonly PlannedVolume[]> {
  const name = String(values.NAME);
  const root = buildVolumesRoot(name, values.STATE_DIRECTORY);
  if (root === undefined) throw buildNoRoot(String(values.STATE_DIRECTORY));
  if ((await readOwner(root, name)) === 'other') throw buildForeign(name, root);
  const planned: PlannedVolume[] = [];
  for (const volume of volumes) {
    const { path } = volume;
    const folder = `${root}${path}`;
    const isNew = await isMissing(root, path);
    planned.push({ ...volume, folder, isNew, owner: { uid: owner.uid, gid: owner.gid } });
  }
  return planned;
}

/** Finds what an operation has to make. */
export async function listNewVolumes(planned: readonly PlannedVolume[]): Promise<NewVolumes> {
  const volumes = planned.filter(({ isNew }) => isNew);
  const parents = new Set<string>();
  for (const { folder } of volumes) {
    for (let parent = dirname(folder); !(await isNameTaken(parent)); parent = dirname(parent)) {
      parents.add(parent);
    }
  }
  const [first] = volumes;
  const root = first === undefined ? '' : first.folder.slice(0, -first.path.length);
  return { root, volumes, parents: [...parents].sort() };
}

/**
 * Finds the folder of the volumes of a container, also of one that is no longer installed or is damaged.
 *
 * @param values of its active deployment
 * @returns undefined when it has no volumes
 */
export async function findVolumes(
  name: string,
  values: Readonly<Record<string, string | number>> | undefined,
): Promise<string | undefined> {
  const root = buildVolumesRoot(name, values === undefined ? usualState : values.STATE_DIRECTORY);
  return root !== undefined && (await readOwner(root, name)) === 'own' ? root : undefined;
}

/** Finds out whether a folder of volumes belongs to a container. */
export async function readOwner(root: string, name: string): Promise<'own' | 'other' | 'missing'> {
  return withFileErrors(`read ${root}`, async () => {
    try {
      if (!(await lstat(root)).isDirectory()) return 'other';
      const text = await readFile(markerOf(root), 'utf8');
      return text === formatVolumesMarker(name) ? 'own' : 'other';
    } catch (error) {
      if (isErrno(error, 'ENOTDIR')) return 'other';
      if (!isErrno(error, 'ENOENT')) throw error;
      return (await isNameTaken(root)) ? 'other' : 'missing';
    }
  });
}

/**
 * Whether the folder of a volume does not exist yet. An earlier volume may have been a folder above this one, and its service
 * may have left a symlink there: the runtime would follow it to any folder of the host.
 *
 * @param path of the volume, in the container
 * @throws FILE_CONFLICT when a part of the path is not a folder
 */
async function isMissing(root: string, path: string): Promise<boolean> {
  let folder = root;
  for (const part of path.split('/').slice(1)) {
    folder = `${folder}/${part}`;
    const found = await withFileErrors(`look at ${folder}`, () => tolerateMissingAsync(() => lstat(folder)));
    if (found === undefined) return true;
    if (!found.isDirectory()) throw buildNoFolder(folder);
  }
  return false;
}

function buildForeign(name: string, root: string): AtomicError {
  return new AtomicError(
    'FILE_CONFLICT',
    `Cannot install ${name}: ${toPrintable(root)} exists and does not belong to ${name}`,
    {
      hint: 'Choose another name with --name NAME, or another folder with --set STATE_DIRECTORY=PATH.',
      details: { path: root },
    },
  );
}

function buildNoFolder(path: string): AtomicError {
  return new AtomicError('FILE_CONFLICT', `Cannot use ${toPrintable(path)} as a volume: it is not a folder`, {
    hint: 'Move it away, or replace it by a folder, and repeat the command.',
    details: { path },
  });
}

function buildNoRoot(state: string): AtomicError {
  return new AtomicError(
    'BAD_VALUE',
    `STATE_DIRECTORY '${toPrintable(state, 200)}' is not an absolute path`,
    {
      hint: 'The volumes of the container are in its folder NAME: choose it with --set STATE_DIRECTORY=PATH.',
    },
  );
}

/** Lists the folders of the volumes of containers that have some, also of containers that are no longer installed. */
export async function listVolumesOf(host: Host, names: readonly string[]): Promise<readonly string[]> {
  const folders: string[] = [];
  for (const name of names) {
    const state = await readContainer(host, name);
    const folder = await findVolumes(name, state.kind === 'installed' ? state.record.values : undefined);
    if (folder !== undefined) folders.push(folder);
  }
  return folders;
}
