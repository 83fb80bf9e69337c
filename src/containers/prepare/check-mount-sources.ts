/** Refuses mounts of a new container that reach the store or a deployment. */
import { readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { toFileError } from '../../base/file-error.ts';
import { formatFileIdentity } from '../../host/files/existing-paths.ts';
import { resolvePath } from '../../host/files/resolve-path.ts';
import type { Host } from '../../host/host.ts';
import { readOwnMounts } from '../../host/mounts/mount-table.ts';
import type { SourceKind } from '../render/config/mount-destinations.ts';
import { listMountSources, type MountSource } from '../render/config/mount-sources.ts';
import {
  isBind,
  type RuntimeConfig,
  type RuntimeMount,
  rejectConfig,
  rejectMount,
} from '../render/config/runtime-config.ts';

interface CheckedSources {
  /** The kinds of the sources of bind mounts on the host. */
  readonly kinds: ReadonlyMap<RuntimeMount, SourceKind>;
  /** Sentences about mounts that show the store to the service. */
  readonly warnings: readonly string[];
}

/** A folder that no service may write into. */
interface KeptFolder {
  readonly path: string;
  readonly realPath: string;
  /** Its device and inode, and those of folders in it that other mounts may show. */
  readonly identities: readonly string[];
  readonly parents: readonly string[];
}

/**
 * Resolves the sources of all mounts on this host, through symlinks, `..` and bind mounts. A source in the store, in a
 * deployment or in the state of atomic is refused, also a read-only one: other containers share the files there by hard
 * links. A source above them is allowed, because images that manage a host need it; write access to it gets a warning.
 *
 * @param deployment folder at which relative sources begin
 * @param path how errors call the configuration
 * @throws CONFIG_INVALID
 */
export function checkMountSources(
  host: Host,
  config: RuntimeConfig,
  deployment: string,
  path: string,
): CheckedSources {
  const { checkouts, repository } = host.locations;
  const kept = [checkouts, repository].map((folder) => readKeptFolder(folder, checkouts));
  const kinds = new Map<RuntimeMount, SourceKind>();
  const warnings = new Set<string>();
  for (const source of listMountSources(config)) {
    const found = resolvePath(source.path.startsWith('/') ? source.path : join(deployment, source.path));
    const reject = (reason: string): Error =>
      rejectMount(source.mount, 'source', `'${source.path}' ${reason}`, (text) =>
        rejectConfig(path)(`${source.where} ${text}`),
      );
    if (found.kind === 'unknown')
      throw reject(`leads through ${found.link}, which differs for every process`);
    const ancestors = listAncestors(found.path);
    const inside = kept.find((folder) => isInside(folder, found.path, ancestors));
    if (inside !== undefined) throw reject(`leads into ${inside.path}, where images and containers are kept`);
    const shown = kept.find((folder) => isShown(source, folder, found.path));
    if (shown !== undefined) {
      warnings.add(
        `config.json gives the service write access to ${source.path}, and so to ${shown.path}: it can change the files of other containers and the store.`,
      );
    }
    if (isBind(source.mount) && source.path === source.mount.source) kinds.set(source.mount, found.kind);
  }
  return { kinds, warnings: [...warnings] };
}

function readKeptFolder(path: string, checkouts: string): KeptFolder {
  const resolved = resolvePath(path);
  const realPath = resolved.kind === 'unknown' ? path : resolved.path;
  const inner = path === checkouts ? listDeploymentFolders(checkouts) : [];
  return {
    path,
    realPath,
    identities: [path, ...inner].map(identify).filter((identity) => identity !== undefined),
    parents: listAncestors(dirname(realPath)),
  };
}

/** Another program may have mounted a deployment, or its root, at another path. */
function listDeploymentFolders(checkouts: string): readonly string[] {
  if (identify(checkouts) === undefined) return [];
  return readdirSync(checkouts, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => [`${checkouts}/${name}`, `${checkouts}/${name}/rootfs`]);
}

function isInside(folder: KeptFolder, path: string, ancestors: readonly string[]): boolean {
  return (
    isAtOrBelow(path, folder.realPath) || ancestors.some((identity) => folder.identities.includes(identity))
  );
}

/** Whether the service can write into the folder through a source above it. */
function isShown(source: MountSource, folder: KeptFolder, path: string): boolean {
  if (source.kind === 'device') return source.isWritable && isDeviceOf(path, folder);
  const identity = identify(path);
  const isAbove =
    isAtOrBelow(folder.realPath, path) || (identity !== undefined && folder.parents.includes(identity));
  if (!isAbove) return false;
  const isMountedBelow = readOwnMounts().some(
    ({ point }) => point !== path && isAtOrBelow(point, path) && isAtOrBelow(folder.realPath, point),
  );
  return isMountedBelow ? source.submounts === 'writable' : source.isWritable;
}

/** Whether a path is the disk that contains the folder. */
function isDeviceOf(path: string, folder: KeptFolder): boolean {
  const device = look(path);
  return device?.isBlockDevice() === true && device.rdev === look(folder.realPath)?.dev;
}

function isAtOrBelow(path: string, folder: string): boolean {
  return folder === '/' || path === folder || path.startsWith(`${folder}/`);
}

/** Lists the device and inode of a path and of the folders above it, the path first. Missing folders are left out. */
function listAncestors(path: string): readonly string[] {
  const own = identify(path);
  return [...(own === undefined ? [] : [own]), ...(path === '/' ? [] : listAncestors(dirname(path)))];
}

function identify(path: string): string | undefined {
  const status = look(path);
  return status === undefined ? undefined : formatFileIdentity(status);
}

function look(path: string) {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw toFileError(error, `look at ${path}`);
  }
}
