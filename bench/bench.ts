/** The shared parts of the lines of the benchmark: a folder, a registry with the images, and the programs. */
import { join } from 'node:path';
import { writeContainersConfig, writeHostContainersConfig } from '../test/support/containers-config.ts';
import { startRegistry } from '../test/support/registry.ts';
import type { RegistryAddress } from '../test/support/registry-push.ts';
import { createAtomic, createPodman, type Engine, type Environment } from './engines.ts';
import type { Folder } from './filesystem.ts';
import { createImages, type Images } from './images.ts';
import type { SessionRequest } from './session.ts';

export interface Bench extends AsyncDisposable {
  readonly pairs: number;
  /** On a filesystem of its own. Stores stay in it until the end, so that no run pays for the removal of another's. */
  readonly folder: Folder;
  readonly registry: RegistryAddress;
  readonly images: Images;
  /** The plain environment of everything that is measured. */
  readonly env: Environment;
  readonly atomic: Engine;
  readonly podman: Engine;
}

export async function createBench(request: SessionRequest): Promise<Bench> {
  const folder: Folder = { path: request.folder, join: (...names) => join(request.folder, ...names) };
  const registry = await startRegistry();
  const settings = { insecure: [registry.address] };
  const config = await writeContainersConfig(folder.join('config'), settings);
  // For what systemd starts.
  await writeHostContainersConfig(settings);
  const env = {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    LANG: 'C.UTF-8',
    ...config,
  };
  return {
    pairs: request.pairs,
    folder,
    registry,
    images: createImages(registry, folder),
    env,
    atomic: createAtomic(env),
    podman: createPodman(env),
    [Symbol.asyncDispose]: registry.stop,
  };
}
