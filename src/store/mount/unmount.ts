import { AtomicError } from '../../base/errors.ts';
import { describeFailure, isErrno } from '../../base/file-error.ts';
import { toPrintable } from '../../base/printable.ts';
import type { Host } from '../../host/host.ts';
import { resolveMountPoint } from '../../host/mounts/mount-point.ts';
import { type MountEntry, readOwnMounts } from '../../host/mounts/mount-table.ts';
import { listPathUsers } from '../../host/mounts/path-users.ts';
import {
  findMounted,
  findMountId,
  listRecordedMounts,
  type RecordedMount,
  removeFolders,
  requireRootTo,
  withExistingMounts,
} from './mount-folder.ts';
import type { MountRecord } from './mount-record.ts';

export interface Unmounted {
  /** Absolute path of the mount point, without symlinks. */
  readonly directory: string;
  /** `cleaned`: another program had unmounted it, and only its folder was left. */
  readonly outcome: 'unmounted' | 'cleaned';
  readonly record: MountRecord | undefined;
  /** Other mount points in this mount namespace, as after `mount --bind`. The folder of the mount stays as long as they do. */
  readonly stillAt: readonly string[];
  /** Process in another mount namespace that still has the mount, when this namespace has none. The folder stays as well. */
  readonly keptBy: number | undefined;
  /** Folder of the mount, when it could not be removed because the filesystem is read-only. */
  readonly left: string | undefined;
}

/**
 * Unmounts a directory that `atomic mount` has mounted, and removes the folder of the mount. A mount in use stays as it is,
 * and the error names the processes that use it.
 *
 * @param written the directory as the user wrote it
 * @throws AtomicError NOT_ROOT, NOT_MOUNTED, MOUNT_IN_USE {directory, processes, mounts}, file errors
 */
export async function unmountRoot(host: Host, written: string): Promise<Unmounted> {
  requireRootTo(host, 'unmount');
  const directory = await resolveMountPoint(written);
  const unmounted = await withExistingMounts(host, () => unmountRecorded(host, directory));
  if (unmounted !== undefined) return unmounted;
  throw buildNotMounted(directory, findTop(readOwnMounts(), directory), undefined);
}

async function unmountRecorded(host: Host, directory: string): Promise<Unmounted> {
  const recorded = await listRecordedMounts(host);
  const mounts = readOwnMounts();
  const top = findTop(mounts, directory);
  const mine = findRecorded(recorded, top);
  if (mine === undefined) {
    const left = recorded.find(({ record }) => record?.directory === directory);
    if (left === undefined || hasMount(mounts, left, directory)) throw buildNotMounted(directory, top, left);
    const mounted = await findMounted(host, recorded);
    const kept = findKept(left, mounted);
    await removeFolders(recorded, mounted);
    return { directory, outcome: 'cleaned', record: left.record, ...kept, left: undefined };
  }
  await endMount(host, directory, mounts);
  const mounted = await findRemaining(host, recorded, directory);
  const kept = findKept(mine, mounted);
  const left = await removeIfWritable(mine, recorded, mounted);
  return { directory, outcome: 'unmounted', record: mine.record, ...kept, left };
}

/** As `findMounted`, after the unmount: a failure is only a warning. */
async function findRemaining(
  host: Host,
  recorded: readonly RecordedMount[],
  directory: string,
): ReturnType<typeof findMounted> {
  try {
    return await findMounted(host, recorded);
  } catch (error) {
    const text = `${toPrintable(directory)} is unmounted; the data of the mount stays until the next mount, unmountPath or images prune removes it`;
    host.report({ kind: 'warning', text });
    throw error;
  }
}

function findKept(
  { id }: RecordedMount,
  mounted: ReadonlyMap<string, number>,
): Pick<Unmounted, 'stillAt' | 'keptBy'> {
  const stillAt = readOwnMounts().flatMap((entry) => (findMountId(entry) === id ? [entry.point] : []));
  return { stillAt, keptBy: stillAt.length > 0 ? undefined : mounted.get(id) };
}

/**
 * Removes the folders of ended mounts.
 *
 * @returns the folder of this mount when the filesystem is read-only; the next mount, unmountPath or prune removes it
 */
async function removeIfWritable(
  { folder }: RecordedMount,
  recorded: readonly RecordedMount[],
  mounted: ReadonlyMap<string, number>,
): Promise<string | undefined> {
  try {
    await removeFolders(recorded, mounted);
    return undefined;
  } catch (error) {
    if (error instanceof AtomicError && error.code === 'READ_ONLY') return folder;
    throw error;
  }
}

function findTop(mounts: readonly MountEntry[], directory: string): MountEntry | undefined {
  return mounts.findLast(({ point }) => point === directory);
}

async function endMount(host: Host, directory: string, mounts: readonly MountEntry[]): Promise<void> {
  const { unmountPath } = await import('../../native/mount.ts');
  try {
    unmountPath(directory);
  } catch (error) {
    if (!isErrno(error, 'EBUSY')) {
      throw new AtomicError(
        'MOUNT_FAILED',
        `unmounting ${toPrintable(directory)}: ${describeFailure(error)}`,
        {
          cause: error,
        },
      );
    }
    throw await buildInUse(host, directory, mounts);
  }
}

function findRecorded(
  recorded: readonly RecordedMount[],
  top: MountEntry | undefined,
): RecordedMount | undefined {
  const id = top === undefined ? undefined : findMountId(top);
  return recorded.find((folder) => folder.id === id);
}

function hasMount(mounts: readonly MountEntry[], { id }: RecordedMount, directory: string): boolean {
  return mounts.some((entry) => entry.point === directory && findMountId(entry) === id);
}

function buildNotMounted(
  directory: string,
  top: MountEntry | undefined,
  covered: RecordedMount | undefined,
): AtomicError {
  const shown = toPrintable(directory);
  const reason = explainNotMounted(top, covered);
  return new AtomicError('NOT_MOUNTED', `unmounting ${shown}: ${reason}`, {
    hint:
      top !== undefined && covered !== undefined
        ? `Unmount that with \`umount ${shown}\`, and repeat the command.`
        : '`findmnt --type overlay` shows atomic:... where atomic has mounted something.',
    details: { directory },
  });
}

function explainNotMounted(top: MountEntry | undefined, covered: RecordedMount | undefined): string {
  if (top === undefined) return 'nothing is mounted there';
  const source = toPrintable(top.source);
  if (covered !== undefined) return `${source} is mounted over it`;
  return findMountId(top) === undefined
    ? `what is mounted there, ${source}, is not a mount of atomic`
    : `what is mounted there, ${source}, is not of this image store`;
}

async function buildInUse(
  host: Host,
  directory: string,
  mounts: readonly MountEntry[],
): Promise<AtomicError> {
  const processes = await listPathUsers(host, directory);
  const below = mounts.map(({ point }) => point).filter((point) => point.startsWith(`${directory}/`));
  const users = [
    ...processes.map(({ pid, command }) => `process ${pid} (${command})`),
    ...below.map((point) => `the mount at ${point}`),
  ];
  const who = users.length === 0 ? 'a process that is not visible here' : users.join(', ');
  return new AtomicError(
    'MOUNT_IN_USE',
    `unmounting ${toPrintable(directory)}: it is in use by ${toPrintable(who)}`,
    {
      hint: 'It is still mounted. Stop the processes that use it, or leave the directory, and repeat the command.',
      details: { directory, processes, mounts: below },
    },
  );
}
