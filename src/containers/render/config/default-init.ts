/**
 * The init of containers with the default configuration. The kernel gives process 1 of a namespace no signal that it does not
 * handle: without an init, a stop of python, cron or `sleep` would take the whole stop timeout.
 */
import type { RuntimeMount } from './runtime-config.ts';

/**
 * Programs of the host that forward signals, reap processes and return the status of their child, in the order of
 * preference. They are linked statically, so that they run in every image.
 */
export const initPrograms: readonly string[] = [
  '/usr/libexec/podman/catatonit',
  '/usr/bin/catatonit',
  '/usr/bin/tini-static',
];

/** In `/dev`, which is a filesystem of the container: nothing is created in the image. */
const initPath = '/dev/init';

/** Commands that are process 1 themselves, and some of them refuse to be another one. */
const inits = [
  'init',
  'tini',
  'tini-static',
  'dumb-init',
  'catatonit',
  'docker-init',
  's6-svscan',
  'systemd',
  'runit',
];

/** @param args the command of the image */
export function needsInit([program = '']: readonly string[]): boolean {
  return !inits.includes(program.slice(program.lastIndexOf('/') + 1));
}

export function buildInitCommand(args: readonly string[]): readonly string[] {
  return [initPath, '--', ...args];
}

/** @returns the command of the image */
export function dropInit<Word>(args: readonly Word[]): readonly Word[] {
  const [program, separator, ...command] = args;
  return program === initPath && separator === '--' ? command : args;
}

/** @param program one of `initPrograms` */
export function buildInitMount(program: string): RuntimeMount {
  return {
    destination: initPath,
    type: 'bind',
    source: program,
    options: ['bind', 'ro', 'nosuid', 'nodev'],
  };
}
