/** A store with an image and containers of it, whose objects tests damage as a failing disk or a person would. */

import { expect } from 'bun:test';
import { existsSync, lstatSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { formatInfo } from '../../src/containers/info-file.ts';
import { verifyImages } from '../../src/containers/verify/verify-images.ts';
import { toChecksum } from '../../src/image/checksum.ts';
import type { StoredImage } from '../../src/image/image.ts';
import type { ObjectKind } from '../../src/image/verified-image.ts';
import type { TreeChecksums } from '../../src/ostree/layer-tree.ts';
import { formatObjectPath, readCommit, readDirTree } from '../../src/ostree/object-files.ts';
import { checkoutImage } from '../../src/store/checkout/checkout.ts';
import { plainRecord as record } from '../support/plain-record.ts';
import type { Sandbox } from '../support/sandbox.ts';
import { listLeftovers } from '../support/store/failed-pull.ts';
import { checkRepository, inodeOf } from '../support/store/ostree-cli.ts';

/** Makes `CHECKOUTS/NAME.0` as an install does, without units. @returns its root filesystem */
export async function deploy(store: Sandbox, image: StoredImage, name: string): Promise<string> {
  const { checkouts } = store.locations;
  const folder = `${checkouts}/${name}.0`;
  mkdirSync(folder, { recursive: true });
  await checkoutImage(store.host, image.commit, `${folder}/rootfs`);
  const info = { ...record, image: image.reference, revision: image.id, ostreeCommit: image.commit };
  writeFileSync(`${folder}/info`, formatInfo(info));
  symlinkSync(folder, `${checkouts}/${name}`);
  return `${folder}/rootfs`;
}

/** The path of an object. @param path in the tree of the commit; the root is `` */
export function findObject(store: Sandbox, commit: string, path: string, kind: ObjectKind): string {
  const { repository } = store.locations;
  if (kind === 'commit') return formatObjectPath(repository, toChecksum(commit), kind);
  let folder: TreeChecksums = readCommit(repository, toChecksum(commit));
  for (const name of path.split('/').filter((part) => part !== '')) {
    const { files, directories } = readDirTree(repository, folder.dirtree);
    const file = files.find((each) => each.name === name);
    if (file !== undefined) return formatObjectPath(repository, file.checksum, 'file');
    const directory = directories.find((each) => each.name === name);
    if (directory === undefined) throw new Error(`there is no ${path}`);
    folder = directory;
  }
  if (kind === 'file') throw new Error(`${path} is a folder`);
  return formatObjectPath(repository, folder[kind], kind);
}

/**
 * Checks that verify and `ostree fsck` find no damage, that no temporary file is left, and that every file is a link.
 */
export async function expectSound(store: Sandbox, rootfs: readonly string[]): Promise<void> {
  const { images: verified } = await verifyImages(store.host, []);
  expect(verified.flatMap(({ problems }) => problems)).toEqual([]);
  expect(verified.flatMap(({ deployments }) => deployments.flatMap(({ problems }) => problems))).toEqual([]);
  checkRepository(store);
  expect(listLeftovers(store)).toEqual([]);
  expect(readdirSync(store.locations.checkouts).filter((name) => name.endsWith('.fix'))).toEqual([]);
  const inodes = listObjectInodes(store);
  for (const root of rootfs) expect(listFiles(root).filter((path) => !inodes.has(inodeOf(path)))).toEqual([]);
}

function listObjectInodes(store: Sandbox): ReadonlySet<number> {
  const objects = `${store.locations.repository}/objects`;
  const files = listFiles(objects).filter((path) => path.endsWith('.file'));
  return new Set(files.map(inodeOf));
}

function listFiles(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = `${folder}/${name}`;
    return lstatSync(path).isDirectory() ? listFiles(path) : [path];
  });
}

/** Replaces the file at a path of any type. */
export function replaceFile(path: string, content: string): void {
  if (existsSync(path)) rmSync(path, { recursive: true });
  writeFileSync(path, content);
}
