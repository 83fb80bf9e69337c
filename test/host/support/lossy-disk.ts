/**
 * Disks on which power can be cut: ext4 in a file, whose journal is written only when a program asks for it. What was not
 * synced is gone after the cut, in a moment and every time.
 */
import { dlopen, ptr } from 'bun:ffi';
import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';

/** ext4.h: EXT4_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH. */
const SHUTDOWN = 0x8004587d;
const WITHOUT_FLUSHING = 2;

export interface LossyDisk {
  /** Cuts the power, and mounts the disk again as the next boot would. */
  cutPower(): void;
}

/**
 * Makes a disk and mounts it with a copy of what is there now.
 *
 * @param places folders of the host that are on the disk
 */
export function openLossyDisk(name: string, places: readonly string[]): LossyDisk {
  const image = `/tmp/${name}.img`;
  const root = `/mnt/${name}`;
  const mount = () => {
    run('mount', '-o', 'loop,commit=1000,noauto_da_alloc', image, root);
    for (const place of places) run('mount', '--bind', `${root}${place}`, place);
  };
  run('mkdir', '-p', root, ...places);
  run('truncate', '-s', '128M', image);
  run('mkfs.ext4', '-q', image);
  run('mount', '-o', 'loop', image, root);
  for (const place of places) {
    run('mkdir', '-p', `${root}${place}`);
    run('cp', '-a', `${place}/.`, `${root}${place}`);
  }
  run('umount', root);
  mount();
  return {
    cutPower() {
      shutDown(root);
      for (const place of places) run('umount', place);
      run('umount', root);
      mount();
    },
  };
}

function shutDown(root: string): void {
  const libc = dlopen('libc.so.6', { ioctl: { args: ['i32', 'u64', 'ptr'], returns: 'i32' } });
  const fd = openSync(root, 'r');
  const status = libc.symbols.ioctl(fd, SHUTDOWN, ptr(new Uint32Array([WITHOUT_FLUSHING])));
  closeSync(fd);
  if (status !== 0) throw new Error(`the power of ${root} cannot be cut`);
}

function run(program: string, ...args: readonly string[]): void {
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
}
