/** The state of the folders of the host in which containers write, to compare before and after. */
import { type HostLook, lookAtHost } from './support/own-changes.ts';

export const checkouts = '/var/lib/containers/atomic';

/** Files that pulls, running programs and systemd change, without any container. */
const exclude = [
  `${checkouts}/.storage`,
  '/var/lib/containers/cache',
  '/var/lib/containers/storage',
  '/var/lib/systemd',
  '/run/systemd',
  '/run/log',
  '/run/mount',
  '/run/udev',
  '/run/containers',
  '/run/runc',
  '/run/crun',
];

/** `/etc`, `/var/lib` and `/run`, without what changes by itself. @param others further folders */
export function readHostState(others: readonly string[] = []): HostLook {
  return lookAtHost(['/etc', '/var/lib', '/run', ...others], exclude);
}
