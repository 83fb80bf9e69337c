/**
 * The state of the whole host, and the few files that a container may leave, each with its reason. A machine has half a
 * million files, most of them in folders to which no operation on a container may write. The test makes those folders
 * read-only and compares the others.
 */
import { readdirSync } from 'node:fs';
import { command } from './commands.ts';
import { type HostLook, lookAtHost } from './own-changes.ts';

const watched = ['etc', 'run', 'tmp', 'var'];
/** Not files of the host. */
const notOnDisk = ['dev', 'proc', 'sys'];

const exceptions = [
  // The image store, and what skopeo knows of blobs.
  '/var/lib/containers/atomic/.storage',
  '/var/lib/containers/cache',
  // Where our locks and journals are while a command runs.
  '/var/lib/containers/atomic/.atomic',
  // The state of the runtimes; the test asks the runtimes for it separately.
  '/run/runc',
  '/run/crun',
  // Logs.
  '/var/log',
  '/run/log',
  // What systemd knows of units, and when timers ran.
  '/run/systemd',
  '/var/lib/systemd',
  // The roots of other releases, which hosts beside this one take from there: too many files.
  '/var/cache/atomic-roots',
  // Lasting state that etcd's tmpfiles.d file declares.
  '/var/lib/etcd',
];

/** Makes everything else read-only: a command that writes there fails. Also hides what others write to /var/tmp. */
export async function protectHost(): Promise<void> {
  await command('mount', '-t', 'tmpfs', 'tmpfs', '/var/tmp');
  for (const entry of readdirSync('/', { withFileTypes: true })) {
    if (!entry.isDirectory() || [...watched, ...notOnDisk].includes(entry.name)) continue;
    await command('mount', '--rbind', `/${entry.name}`, `/${entry.name}`);
    await command('mount', '-o', 'remount,bind,ro', `/${entry.name}`);
  }
}

/** Everything that `protectHost` leaves writable; the registry of a test is not part of the host. */
export function lookAtWholeHost(): HostLook {
  const registries = readdirSync('/var/tmp').filter((name) => name.startsWith('atomic-registry-'));
  return lookAtHost(
    watched.map((name) => `/${name}`),
    [...exceptions, ...registries.map((name) => `/var/tmp/${name}`)],
  );
}
