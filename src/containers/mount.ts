import { AtomicError } from '../base/errors.ts';
import { toPrintable } from '../base/printable.ts';
import type { Host } from '../host/host.ts';
import { type MountPoint, resolveMountPoint, withMountPoint } from '../host/mounts/mount-point.ts';
import { withSharedStore } from '../store/access/store-lock.ts';
import { mergeNamedImage } from '../store/merge-image.ts';
import { requireRootTo } from '../store/mount/mount-folder.ts';
import type { MountOption } from '../store/mount/mount-options.ts';
import { mountRoot } from '../store/mount/mount-root.ts';
import { withContainerLock } from './container-lock.ts';
import { buildDeploymentPaths } from './deployment.ts';
import { type NamedRoot, readRoot } from './find-root.ts';
import { requireCommit } from './info-file.ts';
import { isFolder } from './read-container.ts';

interface MountRequest {
  /** The name as typed, see `readRoot`. */
  readonly subject: string;
  /** An empty directory. */
  readonly directory: string;
  readonly options: readonly MountOption[];
}

export interface Mounted {
  readonly root: NamedRoot;
  /** The directory of the mount: absolute, without symlinks. */
  readonly directory: string;
}

/**
 * Mounts the root filesystem of an image, or the current files of a container, read-only (compatibility W-01 without
 *
 *
 * @throws AtomicError NOT_ROOT, BAD_VALUE, FILE_CONFLICT, IMAGE_NOT_FOUND, CONTAINER_DAMAGED, the errors of `mountRoot`
 */
export async function mountSubject(host: Host, request: MountRequest): Promise<Mounted> {
  requireRootTo(host, 'mount');
  return withMountPoint(request.directory, async (point) => {
    await requireOutsideStore(host, point.path);
    const root = await readRoot(host, request.subject);
    const mounted =
      root.kind === 'container'
        ? await mountContainer(host, request, root, point)
        : await mountImage(host, request, root, point);
    return { root: mounted, directory: point.path };
  });
}

async function mountImage(
  host: Host,
  request: MountRequest,
  { name }: NamedRoot,
  point: MountPoint,
): Promise<NamedRoot> {
  await mergeNamedImage(host, name);
  return withSharedStore(host, async () => {
    // Reads it again, because a prune may have removed it before the lock was held.
    const image = await readRoot(host, request.subject);
    await mountRoot(host, {
      source: { kind: 'commit', commit: requireCommit(image.commit, image.name) },
      record: { kind: 'image', name: image.name, deployment: '' },
      point,
      options: request.options,
    });
    return image;
  });
}

/** Mounts the files of the deployment themselves. An operation that would remove them checks for mounts first. */
async function mountContainer(
  host: Host,
  request: MountRequest,
  { name }: NamedRoot,
  point: MountPoint,
): Promise<NamedRoot> {
  return withContainerLock(host, name, 'mount', async () => {
    const container = await readRoot(host, request.subject);
    if (container.kind === 'image') {
      throw new AtomicError('CONTAINER_NOT_FOUND', `System container '${name}' is not installed`);
    }
    const { folder } = container.deployment;
    const { rootfs } = buildDeploymentPaths(folder, name);
    if (!(await isFolder(rootfs))) throw buildWithoutFiles(container);
    await mountRoot(host, {
      source: { kind: 'folder', path: rootfs },
      record: { kind: 'container', name, deployment: folder },
      point,
      options: request.options,
    });
    return container;
  });
}

/** Refuses a mount in these folders: it would disturb the operations that remove or search files. */
async function requireOutsideStore({ locations }: Host, directory: string): Promise<void> {
  const folders = await Promise.all([locations.checkouts, locations.repository].map(resolveMountPoint));
  if (!folders.some((folder) => directory === folder || directory.startsWith(`${folder}/`))) return;
  throw new AtomicError('BAD_VALUE', `mounting at ${toPrintable(directory)}: it is inside the image store`, {
    hint: 'Name another directory, such as one below /mnt.',
  });
}

function buildWithoutFiles({ name, id }: NamedRoot): AtomicError {
  return new AtomicError(
    'CONTAINER_DAMAGED',
    `Could not mount ${name}: it has no root filesystem of its own`,
    {
      hint: `Mount its image instead: ${id.slice(0, 12)}`,
    },
  );
}
