/**
 * The same service many times: as containers of atomic, and as those of podman that an administrator makes today, which are
 * Quadlets where podman knows them (4.4 and newer) and units of `podman generate systemd` before.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench } from './bench.ts';
import { type Command, run } from './measure.ts';

const quadletGenerators = [
  '/usr/libexec/podman/quadlet',
  '/usr/lib/systemd/system-generators/podman-system-generator',
];

/**
 * No limits and no cgroup of the container's own: a machine that is a container itself may not have the controllers for
 * them. podman has less to do so.
 */
const unconfined = ['--ulimit=host', '--cgroups=disabled'];

/** The containers of both programs; both know their names from the default places of the host. */
export interface Services {
  readonly ours: readonly string[];
  readonly other: readonly string[];
  /** A command of atomic on the store of the services. */
  atomic(...args: string[]): Command;
  /** A command of podman on its default store. */
  podman(...args: string[]): Command;
  /** A command of systemd. */
  systemctl(...args: string[]): Command;
}

/**
 * Installs the services and leaves them stopped.
 *
 * @param runtime of the containers of atomic, `runc` or `crun`
 */
export async function installServices(bench: Bench, count: number, runtime: string): Promise<Services> {
  const image = await bench.images.pushService();
  const store = bench.folder.join(`services-${runtime}`);
  const named = (prefix: string): string[] =>
    Array.from({ length: count }, (_, index) => `${prefix}${index + 1}`);
  const bare = (...argv: string[]): Command => ({ argv, env: bench.env });
  const services: Services = {
    ours: named('a'),
    other: named('p'),
    atomic: (...args) => bench.atomic.command(store, args),
    podman: (...args) => bare('podman', ...args),
    systemctl: (...args) => bare('systemctl', ...args),
  };
  choosePodmanStore(bench.folder.join('podman'));
  await run(services.podman('pull', image));
  for (const name of services.ours) {
    await run(
      services.atomic(
        'install',
        '--system',
        '--no-lint',
        '--runtime',
        `/usr/bin/${runtime}`,
        '--name',
        name,
        image,
      ),
    );
  }
  for (const name of services.other) installPodmanService(bench, name, image);
  await run(services.systemctl('daemon-reload'));
  return services;
}

/**
 * Stops services, outside of what is measured. A shell that is process 1 ignores SIGTERM until it has read its `trap`, and
 * a stop before that takes as long as the unit's time limit: the pause lets every shell come so far.
 */
export function stopServices(names: readonly string[]): void {
  Bun.sleepSync(500);
  execFileSync('systemctl', ['stop', ...names]);
}

export function startServices(names: readonly string[]): void {
  execFileSync('systemctl', ['start', ...names]);
}

function choosePodmanStore(folder: string): void {
  const text = `[storage]\ndriver = "overlay"\ngraphroot = "${folder}"\nrunroot = "/run/containers/storage"\n`;
  writeFileSync('/etc/containers/storage.conf', text);
}

function installPodmanService({ env }: Bench, name: string, image: string): void {
  if (quadletGenerators.some((path) => existsSync(path))) {
    mkdirSync('/etc/containers/systemd', { recursive: true });
    const text = `[Container]\nContainerName=${name}\nImage=${image}\nNetwork=host\nPodmanArgs=${unconfined.join(' ')}\nAutoUpdate=registry\n\n[Install]\nWantedBy=multi-user.target\n`;
    writeFileSync(join('/etc/containers/systemd', `${name}.container`), text);
    return;
  }
  const podman = (...args: string[]): string => execFileSync('podman', args, { encoding: 'utf8', env });
  const label = 'io.containers.autoupdate=registry';
  podman('create', '--name', name, '--network', 'host', ...unconfined, '--label', label, image);
  const unit = podman('generate', 'systemd', '--new', '--name', name);
  // It writes its own option instead of that of the container.
  writeFileSync(
    `/etc/systemd/system/${name}.service`,
    unit.replace('--cgroups=no-conmon', '--cgroups=disabled'),
  );
  podman('rm', name);
}
