/**
 * Compares a deployment with its commit. A file that is a hard link of its object is not read: the object is verified
 * separately. Every folder is opened without following symlinks and read through its descriptor, so that every compared
 * or replaced file is in the deployment.
 */

import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, type Stats } from 'node:fs';
import { isErrno, tolerateMissing } from '../../base/file-error.ts';
import { PERMISSIONS } from '../../base/file-mode.ts';
import type { Host } from '../../host/host.ts';
import { throwIfInterrupted } from '../../host/interruption.ts';
import type { Checksum } from '../../image/checksum.ts';
import type { DeploymentProblem } from '../../image/verified-image.ts';
import { formatObjectPath, readDirMeta } from '../../ostree/object-files.ts';
import type { DirTree, TreeDirectory, TreeFile } from '../../ostree/ostree-objects.ts';
import { tolerateDamage } from '../../ostree/tolerate-damage.ts';
import { type ImageRoot, readImageRoot } from '../../store/image-root.ts';
import { checksumPath } from '../../store/verify/checksum-path.ts';

const openFolder = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** A problem, or a copy, and the right state of its path. */
export interface FoundDifference extends Omit<DeploymentProblem, 'state'> {
  /** `copied`: an equal file that could be a hard link of its object. It is sound. */
  readonly state: DeploymentProblem['state'] | 'copied';
  /** The path through the open parent folder; valid during the call of `onDifference`. */
  readonly place: string;
  readonly expected:
    | { readonly kind: 'file'; readonly checksum: Checksum }
    | { readonly kind: 'folder' }
    | { readonly kind: 'folder-metadata'; readonly dirmeta: Checksum }
    | { readonly kind: 'nothing' };
}

interface CheckedDeployment {
  readonly files: number;
  /** Checksums. */
  readonly links: ReadonlySet<string>;
  /** The files that are equal to an object of the store, and not hard links of it. */
  readonly copies: number;
  /** The parts of the image that could not be read, and were not compared. */
  readonly unread: number;
}

/**
 * @param rootfs of the deployment
 * @param commit the commit of its root filesystem; unreadable parts of the commit are not compared
 * @param onDifference called for each difference, while its folder is open
 * @returns how many files and symlinks were compared, and the objects of which it has hard links
 * @throws INTERRUPTED
 */
export async function checkDeployment(
  host: Host,
  rootfs: string,
  commit: Checksum,
  onDifference: (difference: FoundDifference) => void | Promise<void>,
): Promise<CheckedDeployment> {
  const root = tolerateDamage(() => readImageRoot(host.locations.repository, commit));
  if (root === undefined) return { files: 0, links: new Set(), copies: 0, unread: 1 };
  const check = new DeploymentCheck(host, root, onDifference);
  await check.visitFolder({ name: '', ...root }, rootfs, '');
  return check;
}

class DeploymentCheck {
  readonly #host: Host;
  readonly #root: ImageRoot;
  readonly #onDifference: (difference: FoundDifference) => void | Promise<void>;
  readonly #inodes = new Map<string, number | undefined>();
  readonly links = new Set<string>();
  files = 0;
  copies = 0;
  unread = 0;

  constructor(
    host: Host,
    root: ImageRoot,
    onDifference: (difference: FoundDifference) => void | Promise<void>,
  ) {
    this.#host = host;
    this.#root = root;
    this.#onDifference = onDifference;
  }

  /** @param place path for the system calls; @param path path in the root filesystem, `` for the root */
  async visitFolder({ dirtree, dirmeta }: TreeDirectory, place: string, path: string): Promise<void> {
    throwIfInterrupted(this.#host);
    const shown = path === '' ? '/' : path;
    const folder = openIfFolder(place);
    if (typeof folder !== 'number') {
      await this.#tell(shown, folder, place, { kind: 'folder' });
      return;
    }
    try {
      const reason = this.#compareFolder(fstatSync(folder), dirmeta, path);
      if (reason !== undefined) {
        const difference: Difference = { state: 'changed', reason };
        await this.#tell(shown, difference, `/proc/self/fd/${folder}`, { kind: 'folder-metadata', dirmeta });
      }
      const tree = tolerateDamage(() => this.#root.readTree(dirtree));
      if (tree === undefined) this.unread += 1;
      else await this.#visitEntries(tree, `/proc/self/fd/${folder}`, path);
    } finally {
      closeSync(folder);
    }
  }

  async #visitEntries(tree: DirTree, place: string, path: string): Promise<void> {
    for (const file of tree.files)
      await this.#checkFile(file, `${place}/${file.name}`, `${path}/${file.name}`);
    for (const directory of tree.directories) {
      await this.visitFolder(directory, `${place}/${directory.name}`, `${path}/${directory.name}`);
    }
    const expected = new Set([...tree.files, ...tree.directories].map(({ name }) => name));
    for (const name of listNames(place)) {
      const shown = name.toString();
      const entry = Buffer.concat([Buffer.from(`${place}/`), name]);
      if (expected.has(shown) || isMadeByRuntime(entry, `${path}/${shown}`)) continue;
      const reason = 'it is not in the image';
      await this.#tell(`${path}/${shown}`, { state: 'additional', reason }, place, { kind: 'nothing' });
    }
  }

  async #checkFile({ checksum }: TreeFile, place: string, path: string): Promise<void> {
    this.files += 1;
    const difference = await this.#compareFile(place, checksum);
    if (difference?.state === 'copied') this.copies += 1;
    if (difference !== undefined) await this.#tell(path, difference, place, { kind: 'file', checksum });
  }

  async #compareFile(place: string, checksum: Checksum): Promise<Difference | undefined> {
    const stats = lstatSync(place, { throwIfNoEntry: false });
    if (stats === undefined) return { state: 'missing', reason: 'it is not there' };
    if (stats.ino === this.#readInode(checksum)) {
      this.links.add(checksum);
      return undefined;
    }
    if (!stats.isFile() && !stats.isSymbolicLink()) {
      return { state: 'changed', reason: 'it is no longer a file' };
    }
    const actual = await checksumIfThere(place);
    if (actual === checksum) {
      // As after a backup without hard links was restored, or where the object has as many links as its filesystem allows.
      const isInStore = this.#readInode(checksum) !== undefined;
      return isInStore ? { state: 'copied', reason: 'it is an equal copy' } : undefined;
    }
    if (actual === undefined) return { state: 'missing', reason: 'it is not there' };
    return { state: 'changed', reason: 'it is not the file of the image' };
  }

  #compareFolder({ mode, uid, gid }: Stats, dirmeta: Checksum, path: string): string | undefined {
    const expected = tolerateDamage(() => readDirMeta(this.#host.locations.repository, dirmeta));
    if (expected === undefined) {
      this.unread += 1;
      return undefined;
    }
    const shouldBe = formatAccess(expected.mode, expected.uid, expected.gid);
    const is = formatAccess(mode, uid, gid);
    if (is === shouldBe) return undefined;
    const others = this.#root.listOtherMetas(path.slice(1));
    return others.some((other) => formatAccess(other.mode, other.uid, other.gid) === is)
      ? undefined
      : `its mode and owner are ${is}, not ${shouldBe}`;
  }

  #readInode(checksum: Checksum): number | undefined {
    if (!this.#inodes.has(checksum)) {
      const object = formatObjectPath(this.#host.locations.repository, checksum, 'file');
      this.#inodes.set(checksum, lstatSync(object, { throwIfNoEntry: false })?.ino);
    }
    return this.#inodes.get(checksum);
  }

  async #tell(
    path: string,
    { state, reason }: Difference,
    place: string,
    expected: FoundDifference['expected'],
  ): Promise<void> {
    await this.#onDifference({ path, state, reason, place, expected });
  }
}

type Difference = Pick<FoundDifference, 'state' | 'reason'>;

function openIfFolder(place: string): number | Difference {
  try {
    return openSync(place, openFolder);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return { state: 'missing', reason: 'it is not there' };
    if (isErrno(error, 'ENOTDIR') || isErrno(error, 'ELOOP')) {
      return { state: 'changed', reason: 'it is no longer a folder' };
    }
    throw error;
  }
}

/**
 * Runtimes create missing mount points in the deployment, which are empty folders and files, and, when nothing is mounted
 * on `/dev`, device nodes and symlinks in it. They do not count as differences.
 */
function isMadeByRuntime(entry: Buffer, path: string): boolean {
  const stats = lstatSync(entry, { throwIfNoEntry: false });
  if (stats === undefined) return true;
  if (stats.isFile()) return stats.size === 0;
  if (!stats.isDirectory()) return path.startsWith('/dev/');
  return listNames(entry).every((name) =>
    isMadeByRuntime(Buffer.concat([entry, Buffer.from('/'), name]), `${path}/${name}`),
  );
}

/** Empty for a folder that was removed while it was open. */
function listNames(folder: string | Buffer): Buffer[] {
  return tolerateMissing(() => readdirSync(folder, { encoding: 'buffer' })) ?? [];
}

/** @returns `undefined` for a file that was removed meanwhile */
async function checksumIfThere(place: string): Promise<string | undefined> {
  try {
    return await checksumPath(place);
  } catch (error) {
    if (lstatSync(place, { throwIfNoEntry: false }) === undefined) return undefined;
    throw error;
  }
}

function formatAccess(mode: number, uid: number, gid: number): string {
  return `${(mode & PERMISSIONS).toString(8).padStart(4, '0')} ${uid}:${gid}`;
}
