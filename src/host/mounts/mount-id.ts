import { closeSync, constants, openSync, readFileSync } from 'node:fs';

/** Reads the id of the mount of a folder. Hard links and renames between two mounts are not possible. */
export function readMountId(folder: string): number {
  const fd = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    const [, id] = /^mnt_id:\s*([0-9]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8')) ?? [];
    if (id === undefined) throw new Error('the kernel does not report the mount of a file');
    return Number(id);
  } finally {
    closeSync(fd);
  }
}
