/**
 * Images have setuid programs and world-writable files, and the files below `objects/` and in deployments have the same
 * modes. So no other user of the machine may reach them: the folder above them is closed (mode 0700):
 *
 * ```
 * CHECKOUTS/             closed when it has only files of this program, as the default folder has
 *   .storage/ .atomic/   closed when CHECKOUTS also has files of others
 *   NAME.0/ NAME.1/      the same; new deployments are always closed
 * REPO/                  outside CHECKOUTS: closed when this program has made it or it has only refs of this program. The
 *                        host's repository, `/ostree/repo`, stays as it is
 * ```
 *
 * Entries in access lists admit the users that need access to a deployment, see `deployment-users.ts`.
 */

import { type Dirent, existsSync, readdirSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { chmod, mkdir, readdir } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { isErrno, tolerateMissing, withFileErrors } from '../../base/file-error.ts';
import { FolderMode, PERMISSIONS } from '../../base/file-mode.ts';
import { ensureDirectory } from '../../host/files/durable-files.ts';
import type { Host } from '../../host/host.ts';
import { HOST_REPOSITORY, SYSTEM_CHECKOUTS } from '../../host/locations.ts';
import { REF_FOLDER } from '../../image/ref-name.ts';
import { allowSearch } from './access-list.ts';
import { listDeploymentUsers } from './deployment-users.ts';

const OTHERS = 0o007;
const GROUP_AND_OTHERS = 0o077;
const ACCESS_LIST = 'system.posix_acl_access';
const DEPLOYMENT = /^(?<name>[^.].*)\.[01]$/;
const BUILDING = /^\..+\.(?:[01]\.(?:new|old|fix)|link)$/;
const STATE = new Set(['.storage', '.atomic']);

/**
 * Creates CHECKOUTS and closes the folders of this program in it. Every action that changes CHECKOUTS calls it first; it costs
 * a few `stat` calls.
 *
 * @throws AtomicError NO_SPACE, READ_ONLY, STORE_FAILED
 */
export async function ensurePrivateCheckouts(host: Host): Promise<void> {
  if (!(await makeClosed(host.locations.checkouts))) await closeCheckouts(host);
}

/** As `ensurePrivateCheckouts`, for CHECKOUTS and REPO. */
export async function ensurePrivateStore(host: Host): Promise<void> {
  const { checkouts, repository } = host.locations;
  await ensurePrivateCheckouts(host);
  const isNew = await makeClosed(repository);
  if (isBelow(repository, checkouts) && (await isClosed(checkouts))) return;
  if (!isNew && isOurRepository(repository)) await closeFolder(host, repository, []);
}

/**
 * Gives the users other than root that start a deployment access to its folder.
 *
 * @param deployment folder with its `config.json` and its unit
 * @throws AtomicError STORE_FAILED on a filesystem without access lists
 */
export async function letUsersReach(host: Host, deployment: string): Promise<void> {
  const { checkouts } = host.locations;
  for (const user of listDeploymentUsers(checkouts, deployment)) {
    for (const folder of [checkouts, deployment]) await letUserSearch(folder, user);
  }
}

async function closeCheckouts(host: Host): Promise<void> {
  const { checkouts } = host.locations;
  if (await isClosed(checkouts)) return;
  const entries = await withFileErrors(`read ${checkouts}`, () =>
    readdir(checkouts, { withFileTypes: true }),
  );
  const deployments = entries.filter(isDeployment).map(({ name }) => `${checkouts}/${name}`);
  if (checkouts === SYSTEM_CHECKOUTS || isOursAlone(host, entries)) {
    await closeFolder(host, checkouts, deployments);
    return;
  }
  const own = entries.filter((entry) => entry.isDirectory() && STATE.has(entry.name));
  for (const { name } of own) await closeFolder(host, `${checkouts}/${name}`, []);
  const installed = deployments.filter((folder) => existsSync(`${folder}/info`));
  for (const deployment of installed) await closeFolder(host, deployment, [deployment]);
}

/** @param deployments deployments in the folder, or the folder itself; the users that start them keep their access */
async function closeFolder(host: Host, path: string, deployments: readonly string[]): Promise<void> {
  const { uid, mode } = statSync(path);
  if (uid !== host.uid || (await isClosed(path))) return;
  let list = await readAccessList(path);
  const closed = mode & PERMISSIONS & ~(list === undefined ? GROUP_AND_OTHERS : OTHERS);
  const { checkouts } = host.locations;
  for (const user of deployments.flatMap((folder) => listDeploymentUsers(checkouts, folder))) {
    const changed = allowSearch(list, closed, user);
    if (changed === undefined) continue;
    await writeAccessList(path, changed, user);
    list = changed;
  }
  // Writing a list also sets the mode; the bits of the group are then the mask of all named users.
  const rest = statSync(path).mode & PERMISSIONS & ~(list === undefined ? GROUP_AND_OTHERS : OTHERS);
  await withFileErrors(`close ${path}`, () => chmod(path, rest));
}

/** The bits of the group in a mode are the mask of the access list, if there is one. */
async function isClosed(path: string): Promise<boolean> {
  const { mode } = statSync(path);
  if ((mode & GROUP_AND_OTHERS) === 0) return true;
  return (mode & OTHERS) === 0 && (await readAccessList(path)) !== undefined;
}

/** Whether CHECKOUTS has files, and all of them belong to this program. */
function isOursAlone({ locations }: Host, entries: readonly Dirent[]): boolean {
  const { checkouts, repository } = locations;
  const isOurs = (entry: Dirent): boolean =>
    STATE.has(entry.name) ||
    isDeployment(entry) ||
    BUILDING.test(entry.name) ||
    isBelow(repository, `${checkouts}/${entry.name}`) ||
    (entry.isSymbolicLink() && namesDeployment(checkouts, entry.name));
  const rest = entries.filter(({ name }) => name !== 'lost+found');
  return rest.length > 0 && rest.every(isOurs);
}

function isDeployment(entry: Dirent): boolean {
  return entry.isDirectory() && DEPLOYMENT.test(entry.name);
}

function namesDeployment(checkouts: string, name: string): boolean {
  return DEPLOYMENT.exec(basename(readlinkSync(`${checkouts}/${name}`)))?.groups?.name === name;
}

/** Whether a repository has refs of this program and no others, so that it is not the host's. */
function isOurRepository(repository: string): boolean {
  if (existsSync(HOST_REPOSITORY) && realpathSync(repository) === realpathSync(HOST_REPOSITORY)) return false;
  const refs = `${repository}/refs`;
  const heads = listNames(`${refs}/heads`);
  const others = [...listNames(`${refs}/remotes`), ...listNames(`${refs}/mirrors`)];
  return heads.length === 1 && heads[0] === REF_FOLDER && others.length === 0;
}

/** @returns whether the folder was missing */
async function makeClosed(path: string): Promise<boolean> {
  await ensureDirectory(dirname(path));
  return withFileErrors(`create folder ${path}`, async () => {
    try {
      await mkdir(path, { mode: FolderMode.private });
      return true;
    } catch (error) {
      if (isErrno(error, 'EEXIST') && statSync(path).isDirectory()) return false;
      throw error;
    }
  });
}

async function letUserSearch(path: string, user: number): Promise<void> {
  const changed = allowSearch(await readAccessList(path), statSync(path).mode, user);
  if (changed !== undefined) await writeAccessList(path, changed, user);
}

async function writeAccessList(path: string, list: Buffer, user: number): Promise<void> {
  const { writeXattr } = await import('../../native/xattr.ts');
  await withFileErrors(`let user ${user} search ${path}`, async () =>
    writeXattr(realpathSync(path), [Buffer.from(ACCESS_LIST), list]),
  );
}

async function readAccessList(path: string): Promise<Buffer | undefined> {
  const { readXattrs } = await import('../../native/xattr.ts');
  return readXattrs(realpathSync(path)).find(([name]) => name.toString() === ACCESS_LIST)?.[1];
}

function listNames(folder: string): readonly string[] {
  return tolerateMissing(() => readdirSync(folder)) ?? [];
}

function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}
