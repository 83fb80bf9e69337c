/** The shared parts of the lines of the benchmark: a folder, a registry with the images, and the programs. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { writeContainersConfig } from '../test/support/containers-config.ts';
import { startRegistry } from '../test/support/registry.ts';
import { createTemporaryFolder } from '../test/support/temporary.ts';
import { createAtomic, createPodman, type Engine, type Environment } from './engines.ts';
import { type Folder, mountFilesystem } from './filesystem.ts';
import { createImages, type Images } from './images.ts';

export interface Bench extends AsyncDisposable {
  readonly pairs: number;
  /** On a filesystem of its own. Stores stay in it until the end, so that no run pays for the removal of another's. */
  readonly folder: Folder;
  readonly images: Images;
  /** The plain environment of everything that is measured. */
  readonly env: Environment;
  /** Aborted when the person ends the benchmark. */
  readonly signal: AbortSignal;
  readonly atomic: Engine;
  readonly podman: Engine;
}

/** @param signal ends the running program; its failure then ends the line */
export async function createBench(pairs: number, signal: AbortSignal): Promise<Bench> {
  const outside = await createTemporaryFolder('bench');
  const folder = mountFilesystem(outside);
  const registry = await startRegistry();
  const config = await writeContainersConfig(folder.join('config'), { insecure: [registry.address] });
  const env = {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    LANG: 'C.UTF-8',
    ...config,
  };
  return {
    pairs,
    folder,
    images: createImages(registry, folder),
    env,
    signal,
    atomic: createAtomic({ env, signal }),
    podman: createPodman({ env, signal }),
    async [Symbol.asyncDispose]() {
      await registry.stop();
      unmountBelow(outside.path);
      await outside.remove();
    },
  };
}

/** Unmounts the filesystem, and the bind mounts of each store on itself that podman leaves. */
function unmountBelow(folder: string): void {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((path) => path.startsWith(`${folder}/`));
  if (mounts.length > 0) spawnSync('umount', mounts.reverse(), { stdio: 'inherit' });
}
