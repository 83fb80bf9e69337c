/**
 * The files that mounts need on the disk, below `locations.state`:
 *
 * ```
 * CHECKOUTS/.atomic/mounts/     mode 0700, so that other users cannot run setuid files of an image
 *   lock                        held while a command mounts, unmounts or removes (flock)
 *   ID/                         one mount; mount tables have `atomic:ID` as its source
 *     info                      the mounted object and the mount point; written before the mount
 *     rootfs/                   hard-link checkout of an image; absent for a container, whose own files are mounted
 *     empty/                    upper layer of the overlay, without files; has owner, mode and xattrs of the root
 * ```
 *
 * A folder that no mount table names while the lock is held was left by a kill, a restart of the machine or `umount`. The
 * command that holds the lock removes it. Other locks are taken before this one.
 */
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { AtomicError } from '../../base/errors.ts';
import { isErrno, tolerateMissingAsync, withFileErrors } from '../../base/file-error.ts';
import { FolderMode } from '../../base/file-mode.ts';
import { ensureDirectory } from '../../host/files/durable-files.ts';
import { removeTree } from '../../host/files/remove-tree.ts';
import type { Host } from '../../host/host.ts';
import type { Locations } from '../../host/locations.ts';
import {
  type StandingLockRequest,
  withStandingLock,
  withStandingLockIfThere,
} from '../../host/locks/standing-lock.ts';
import { type MountEntry, readMountTables } from '../../host/mounts/mount-table.ts';
import { ensurePrivateCheckouts } from '../access/private-folders.ts';
import { type MountRecord, parseMountRecord } from './mount-record.ts';

const SOURCE_PREFIX = 'atomic:';
const ID = /^[0-9a-f]{12}$/;

export interface MountFolder {
  readonly id: string;
  readonly folder: string;
  readonly info: string;
  readonly rootfs: string;
  readonly empty: string;
}

/** A folder with its record, which is missing when a kill came before it was written. */
export interface RecordedMount extends MountFolder {
  readonly record: MountRecord | undefined;
}

export function buildMountFolder(locations: Locations, id: string): MountFolder {
  const folder = `${buildParent(locations)}/${id}`;
  return { id, folder, info: `${folder}/info`, rootfs: `${folder}/rootfs`, empty: `${folder}/empty` };
}

export function formatMountSource(id: string): string {
  return `${SOURCE_PREFIX}${id}`;
}

/** @returns the id of a mount of this program, perhaps of another store; `undefined` for any other mount */
export function findMountId({ type, source }: MountEntry): string | undefined {
  const id = source.startsWith(SOURCE_PREFIX) ? source.slice(SOURCE_PREFIX.length) : '';
  return type === 'overlay' && ID.test(id) ? id : undefined;
}

/** @throws NOT_ROOT in the words of the original tool */
export function requireRootTo(host: Host, verb: 'mount' | 'unmount'): void {
  if (host.uid === 0) return;
  throw new AtomicError('NOT_ROOT', `Need to be root to ${verb} a container.`, {
    hint: 'Run the command with sudo.',
  });
}

/** Runs an action while no other command mounts, unmounts or removes. Must not be nested. */
export async function withMounts<T>(host: Host, action: () => Promise<T>): Promise<T> {
  const parent = buildParent(host.locations);
  await ensurePrivateCheckouts(host);
  await ensureDirectory(host.locations.state);
  await withFileErrors(`create folder ${parent}`, () =>
    mkdir(parent, { recursive: true, mode: FolderMode.private }),
  );
  return withStandingLock(host, buildLock(host.locations), action);
}

/**
 * As `withMounts`, for an action that ends mounts: works on a full disk and on a read-only filesystem.
 *
 * @returns `undefined` when there has never been a mount; the action did not run
 */
export async function withExistingMounts<T>(host: Host, action: () => Promise<T>): Promise<T | undefined> {
  const result = await withStandingLockIfThere(host, buildLock(host.locations), action);
  return result.kind === 'done' ? result.value : undefined;
}

/** Lists all folders, including those of ended mounts. */
export async function listRecordedMounts(host: Host): Promise<readonly RecordedMount[]> {
  const names = await withFileErrors('read the records of mounts', async () => {
    return (await tolerateMissingAsync(() => readdir(buildParent(host.locations)))) ?? [];
  });
  const folders = names.filter((name) => ID.test(name)).map((id) => buildMountFolder(host.locations, id));
  return Promise.all(folders.map(async (folder) => ({ ...folder, record: await findRecord(folder.info) })));
}

/**
 * Lists the existing mounts of a deployment in every visible mount namespace. A command calls it before it removes or
 * replaces the deployment's files, with the lock of its container held, which every mount takes too.
 *
 * @param deployment absolute path of its folder
 * @returns the directories where they were mounted
 */
export async function listMountsOf(host: Host, deployment: string): Promise<readonly string[]> {
  const recorded = (await listRecordedMounts(host)).filter(({ record }) => record?.deployment === deployment);
  const mounted = await findMounted(host, recorded);
  return recorded.flatMap(({ id, record }) =>
    record !== undefined && mounted.has(id) ? [record.directory] : [],
  );
}

/**
 * Removes the folders of ended mounts. Prune calls it; mounting and unmounting remove them too.
 *
 * @returns the removed paths
 */
export async function removeEndedMounts(host: Host): Promise<readonly string[]> {
  if ((await listRecordedMounts(host)).length === 0) return [];
  return withMounts(host, () => removeUnmounted(host));
}

/** As `removeEndedMounts`, with the lock held. */
export async function removeUnmounted(host: Host): Promise<readonly string[]> {
  const recorded = await listRecordedMounts(host);
  return removeFolders(recorded, await findMounted(host, recorded));
}

/** Removes the folders of ended mounts. @returns their paths */
export async function removeFolders(
  recorded: readonly RecordedMount[],
  mounted: ReadonlyMap<string, number>,
): Promise<readonly string[]> {
  const ended = recorded.filter(({ id }) => !mounted.has(id));
  for (const { folder } of ended) await removeTree(folder);
  return ended.map(({ folder }) => folder);
}

/**
 * Looks for mounts in all visible mount tables, until all are found.
 *
 * @returns ids of the existing mounts, each with a process that has the mount in its namespace
 * @throws INTERRUPTED
 */
export async function findMounted(
  host: Host,
  wanted: readonly { readonly id: string }[],
): Promise<ReadonlyMap<string, number>> {
  const missing = new Set(wanted.map(({ id }) => id));
  const mounted = new Map<string, number>();
  if (missing.size === 0) return mounted;
  for await (const { pid, mounts } of readMountTables(host, SOURCE_PREFIX)) {
    for (const entry of mounts) {
      const id = findMountId(entry);
      if (id !== undefined && missing.delete(id)) mounted.set(id, pid);
    }
    if (missing.size === 0) break;
  }
  return mounted;
}

function buildLock(locations: Locations): StandingLockRequest {
  return { path: `${buildParent(locations)}/lock`, mode: 'exclusive', object: 'the mounts' };
}

function buildParent(locations: Locations): string {
  return `${locations.state}/mounts`;
}

async function findRecord(info: string): Promise<MountRecord | undefined> {
  try {
    return parseMountRecord(await readFile(info, 'utf8'));
  } catch (error) {
    if (error instanceof AtomicError || isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
