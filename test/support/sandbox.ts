/** A `Host` whose every location is in a temporary folder: for tests of what works on a store without a machine. */
import type { ProgressEvent } from '../../src/base/events.ts';
import type { Host } from '../../src/host/host.ts';
import type { Locations } from '../../src/host/locations.ts';
import type { Settings } from '../../src/host/settings.ts';
import { type ContainersConfig, writeContainersConfig } from './containers-config.ts';
import { createTemporaryFolder, type TemporaryFolder } from './temporary.ts';

export interface Sandbox extends AsyncDisposable {
  readonly folder: TemporaryFolder;
  readonly host: Host;
  readonly locations: Locations;
  /** Everything that was reported, oldest first. */
  readonly events: ProgressEvent[];
  /** Aborts `host.signal`, as Ctrl-C does. */
  interrupt(): void;
  remove(): Promise<void>;
}

export interface SandboxOptions {
  readonly containers?: ContainersConfig;
  readonly settings?: Settings;
  /** Variables over those of the test and of the containers configuration. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly repositoryMode?: Locations['repositoryMode'];
}

/** None of the folders exist yet, as on a fresh host. */
export async function createSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const folder = await createTemporaryFolder('sandbox');
  const containersEnv = await writeContainersConfig(folder.join('containers'), options.containers ?? {});
  const checkouts = folder.join('var/lib/containers/atomic');
  const locations: Locations = {
    checkouts,
    repository: `${checkouts}/.storage/ostree`,
    repositoryMode: options.repositoryMode ?? 'bare',
    units: folder.join('etc/systemd/system'),
    tmpfiles: folder.join('etc/tmpfiles.d'),
    patches: folder.join('etc/atomic'),
    state: `${checkouts}/.atomic`,
  };
  const events: ProgressEvent[] = [];
  const interruption = new AbortController();
  const host: Host = {
    env: { ...process.env, ...containersEnv, ...options.env },
    uid: process.geteuid?.() ?? 0,
    gid: process.getegid?.() ?? 0,
    program: '/usr/bin/atomic',
    signal: interruption.signal,
    report: (event) => events.push(event),
    trace: () => {},
    settings: options.settings ?? {},
    locations,
  };
  return {
    folder,
    host,
    locations,
    events,
    interrupt: () => interruption.abort(),
    remove: folder.remove,
    [Symbol.asyncDispose]: folder.remove,
  };
}
