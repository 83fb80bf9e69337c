/** The state of the folders of the host in which containers write, to compare before and after. */
import { diffSnapshots, type TreeSnapshot, takeSnapshot } from '../support/tree-snapshot.ts';

export const checkouts = '/var/lib/containers/atomic';

/** Files that pulls, running programs and systemd change, without any container. */
const exclude = [
  `${checkouts}/.storage`,
  '/var/lib/containers/cache',
  '/var/lib/containers/storage',
  '/var/lib/systemd',
  // A host sees what another program installs on the machine meanwhile.
  '/var/lib/dpkg',
  '/var/lib/apt',
  '/run/systemd',
  '/run/log',
  '/run/mount',
  '/run/udev',
  '/run/containers',
  '/run/runc',
  '/run/crun',
];

/** `/etc`, `/var/lib` and `/run`, without what changes by itself. */
export async function readHostState(): Promise<readonly TreeSnapshot[]> {
  return Promise.all(
    ['/etc', '/var/lib', '/run'].map((folder) =>
      takeSnapshot(folder, { exclude, content: 'time', xattrs: false }),
    ),
  );
}

export function diffHostStates(
  before: readonly TreeSnapshot[],
  after: readonly TreeSnapshot[],
): readonly string[] {
  return before.flatMap((snapshot, index) => diffSnapshots(snapshot, after[index] ?? new Map()));
}
