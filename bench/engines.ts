/** The programs that are compared, each with a store in a folder of its own. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from './measure.ts';

export interface Engine {
  /** The command `ARGS` on the store in `folder`, which may not exist yet. */
  command(folder: string, args: readonly string[]): Command;
}

export type Environment = Readonly<Record<string, string>>;

export const builtAtomic = fileURLToPath(new URL('../dist/atomic', import.meta.url));

export interface EngineOptions {
  readonly env: Environment;
  /** Ends the running programs. */
  readonly signal?: AbortSignal;
}

/** @param program the executable; `/usr/bin/atomic` inside the host */
export function createAtomic({ env, signal }: EngineOptions, program = builtAtomic): Engine {
  return {
    command: (folder, args) => ({
      argv: [program, ...args],
      env: { ...env, ...buildAtomicLocations(folder) },
      signal,
    }),
  };
}

/** The folders need short names: podman takes a `--runroot` of up to 50 characters. */
export function createPodman({ env, signal }: EngineOptions): Engine {
  return {
    command(folder, args) {
      const at = (name: string): string => join(folder, name);
      const places = ['--root', at('root'), '--runroot', at('run'), '--tmpdir', at('tmp')];
      return { argv: ['podman', ...places, '--storage-driver', 'overlay', ...args], env, signal };
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
