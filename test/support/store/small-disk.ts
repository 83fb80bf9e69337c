/** A store on a filesystem of its own, which can be full or read-only. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import type { Sandbox } from '../sandbox.ts';

const DISK_BYTES = 24 * 1024 * 1024;

/** Puts a filesystem of its own below the store. */
export function mountSmallDisk(store: Sandbox): AsyncDisposable & { readonly path: string } {
  const disk = store.folder.join('disk');
  const path = store.locations.checkouts;
  writeFileSync(disk, '');
  truncateSync(disk, DISK_BYTES);
  run('mkfs.ext4', '-q', disk);
  mkdirSync(path, { recursive: true });
  run('mount', '-o', 'loop', disk, path);
  return { path, [Symbol.asyncDispose]: async () => run('umount', path) };
}

export function run(program: string, ...args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8', timeout: 20_000 });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
}
