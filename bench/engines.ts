/** The programs that are compared, each with a store in a folder of its own. */
import { join } from 'node:path';
import type { Command } from './measure.ts';

export interface Engine {
  /** The command `ARGS` on the store in `folder`, which may not exist yet. */
  command(folder: string, args: readonly string[]): Command;
}

export type Environment = Readonly<Record<string, string>>;

/** `dist/atomic`: the host shows it there. */
export const builtAtomic = '/usr/bin/atomic';

export function createAtomic(env: Environment): Engine {
  return {
    command: (folder, args) => ({
      argv: [builtAtomic, ...args],
      env: { ...env, ...buildAtomicLocations(folder) },
    }),
  };
}

/** The folders need short names: podman takes a `--runroot` of up to 50 characters. */
export function createPodman(env: Environment): Engine {
  return {
    command(folder, args) {
      const at = (name: string): string => join(folder, name);
      const places = ['--root', at('root'), '--runroot', at('run'), '--tmpdir', at('tmp')];
      return { argv: ['podman', ...places, '--storage-driver', 'overlay', ...args], env };
    },
  };
}

/** Both, because /etc/atomic.conf or an OSTree host would choose another repository. */
export function buildAtomicLocations(folder: string): Environment {
  return {
    ATOMIC_OSTREE_CHECKOUT_PATH: folder,
    ATOMIC_OSTREE_REPO: join(folder, '.storage/ostree'),
  };
}
