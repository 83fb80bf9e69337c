/** Looks into a repository with OSTree's own program. */
import { spawnSync } from 'node:child_process';
import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Sandbox } from '../sandbox.ts';

const TIMEOUT_MS = 30_000;

export interface StoreFolder {
  readonly locations: { readonly repository: string };
}

/** Runs `ostree ARGS --repo=REPOSITORY`. @throws Error with what it printed when it fails */
export function ostree(store: StoreFolder, ...args: readonly string[]): string {
  const argv = [...args, `--repo=${store.locations.repository}`];
  const { status, stdout, stderr, error } = spawnSync('ostree', argv, {
    encoding: 'utf8',
    timeout: TIMEOUT_MS,
  });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`ostree ${argv.join(' ')}: ${stdout}${stderr}`);
  return stdout;
}

/** All refs, sorted. */
export function listRefs(store: Sandbox): string[] {
  return ostree(store, 'refs')
    .split('\n')
    .filter((line) => line !== '')
    .sort();
}

/** Verifies the checksum of every object, and that none is missing. @throws Error naming the damage */
export function checkRepository(store: Sandbox): void {
  ostree(store, 'fsck', '--quiet');
}

/** A string of a commit's metadata. */
export function readMetadata(store: Sandbox, ref: string, key: string): string {
  return parseVariantText(ostree(store, 'show', `--print-metadata-key=${key}`, ref).trimEnd());
}

/** The keys of a commit's metadata with the type of each value, in order. */
export function listMetadataTypes(store: Sandbox, ref: string): string[] {
  const raw = ostree(store, 'show', '--raw', ref);
  return [...raw.matchAll(/'([a-z._]+)': <(['"]|[a-z(@[])/g)].map(
    ([, key, start]) => `${key}: ${start === "'" || start === '"' ? 'string' : 'other'}`,
  );
}

/** Paths of the content objects; equal files are one of them. */
export function listFileObjects(store: Sandbox): string[] {
  const objects = join(store.locations.repository, 'objects');
  return readdirSync(objects).flatMap((folder) =>
    readdirSync(join(objects, folder))
      .filter((name) => name.endsWith('.file'))
      .map((name) => join(objects, folder, name)),
  );
}

/** Inode of a path, the same for hard links. */
export function inodeOf(path: string): number {
  return lstatSync(path).ino;
}

/** GLib prints a string in single quotes, or in double ones when it has a single one, with C escapes. */
function parseVariantText(text: string): string {
  const match = /^(['"])(.*)\1$/s.exec(text);
  if (match === null) throw new Error(`not a string: ${text}`);
  const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f' };
  return (match[2] ?? '').replace(
    /\\(?:u([0-9a-f]{4})|(.))/gs,
    (_, code: string | undefined, letter: string) =>
      code === undefined ? (escapes[letter] ?? letter) : String.fromCharCode(Number.parseInt(code, 16)),
  );
}
