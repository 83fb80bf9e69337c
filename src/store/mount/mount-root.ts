import { chmod, chown, mkdir, stat } from 'node:fs/promises';
import { AtomicError } from '../../base/errors.ts';
import { withFileErrors } from '../../base/file-error.ts';
import { FileMode, FolderMode, PERMISSIONS } from '../../base/file-mode.ts';
import { writeFileDurably } from '../../host/files/durable-files.ts';
import { removeTree } from '../../host/files/remove-tree.ts';
import type { Host } from '../../host/host.ts';
import { throwIfInterrupted } from '../../host/interruption.ts';
import { type MountPoint, requireStillEmpty, withDirectories } from '../../host/mounts/mount-point.ts';
import type { Checksum } from '../../image/checksum.ts';
import { checkoutImage } from '../checkout/checkout.ts';
import {
  buildMountFolder,
  formatMountSource,
  type MountFolder,
  removeUnmounted,
  withMounts,
} from './mount-folder.ts';
import type { MountOption } from './mount-options.ts';
import { formatMountRecord, type MountRecord } from './mount-record.ts';
import { chooseOverlayNamespace, type OverlayNamespace } from './overlay-attributes.ts';

/** Source of the mounted files. */
type RootSource =
  /** A commit, which is checked out for the mount; the caller holds the store's lock shared. */
  | { readonly kind: 'commit'; readonly commit: Checksum }
  /** The root filesystem of a deployment; the caller holds the container's lock. */
  | { readonly kind: 'folder'; readonly path: string };

interface RootMount {
  readonly source: RootSource;
  readonly record: Omit<MountRecord, 'directory'>;
  readonly point: MountPoint;
  readonly options: readonly MountOption[];
}

/**
 * Mounts a root filesystem at a directory. No write may reach its files, which are hard links into the store: root
 * cannot make an overlay without an upper directory writable, but can remount a bind mount (compatibility X-09). The
 * files are in the lowest layer, where the kernel ignores the xattrs that could hide or redirect directories
 * (`trusted.overlay.opaque`, `trusted.overlay.redirect`); for xattrs of files see `overlay-attributes.ts`.
 *
 * A failure leaves no files. A crash leaves either the mount or a folder, which the next mount removes.
 *
 * @throws AtomicError FILE_CONFLICT, MOUNT_FAILED, INTERRUPTED; as `checkoutImage`; file errors
 */
export async function mountRoot(host: Host, mount: RootMount): Promise<void> {
  await withMounts(host, async () => {
    await withFileErrors(`mount at ${mount.point.path}`, () => requireStillEmpty(mount.point));
    await removeUnmounted(host);
    const folder = buildMountFolder(host.locations, crypto.getRandomValues(new Uint8Array(6)).toHex());
    await withFileErrors(`create folder ${folder.folder}`, () =>
      mkdir(folder.folder, { mode: FolderMode.private }),
    );
    try {
      await prepareFolder(host, folder, mount);
      const root = rootOf(folder, mount.source);
      const attributes = await chooseOverlayNamespace(host, root, mount.record.name);
      throwIfInterrupted(host);
      await mountFolder(folder, mount, attributes);
    } catch (error) {
      await removeTree(folder.folder);
      throw error;
    }
  });
}

async function prepareFolder(host: Host, folder: MountFolder, mount: RootMount): Promise<void> {
  const { source, record, point } = mount;
  if (source.kind === 'commit') {
    host.report({ kind: 'step', text: `Checking out ${record.name}` });
    await checkoutImage(host, source.commit, folder.rootfs);
  }
  await copyRootFolder(rootOf(folder, source), folder.empty);
  await writeFileDurably(
    folder.info,
    formatMountRecord({ ...record, directory: point.path }),
    FileMode.private,
  );
}

/** Copies owner, mode and xattrs: the root of an overlay has those of its upper layer. */
async function copyRootFolder(from: string, to: string): Promise<void> {
  const { readXattrs, writeXattr } = await import('../../native/xattr.ts');
  await withFileErrors(`create folder ${to}`, async () => {
    const { uid, gid, mode } = await stat(from);
    await mkdir(to);
    await chown(to, uid, gid);
    await chmod(to, mode & PERMISSIONS);
    const attributes = readXattrs(from).filter(([name]) => !name.toString().startsWith('trusted.overlay.'));
    for (const attribute of attributes) writeXattr(to, attribute);
  });
}

async function mountFolder(
  folder: MountFolder,
  { source, point, options, record }: RootMount,
  attributes: OverlayNamespace,
): Promise<void> {
  const { mountOverlay } = await import('../../native/mount.ts');
  await withDirectories([folder.empty, rootOf(folder, source)], async (layers) => {
    try {
      mountOverlay({
        source: formatMountSource(folder.id),
        target: point.held,
        layers,
        flags: options,
        attributes,
      });
    } catch (error) {
      throw buildMountFailed(record.name, attributes, error);
    }
  });
}

function rootOf(folder: MountFolder, source: RootSource): string {
  return source.kind === 'commit' ? folder.rootfs : source.path;
}

function buildMountFailed(name: string, attributes: OverlayNamespace, error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error;
  const hint =
    error.code === 'ENODEV'
      ? 'The kernel needs overlayfs: `modprobe overlay`.'
      : error.code === 'EINVAL' && attributes === 'user'
        ? 'It has files with attributes of overlays; to show them, the kernel must be Linux 5.11 or newer.'
        : 'See the last lines of `dmesg`; a mount needs CAP_SYS_ADMIN.';
  return new AtomicError('MOUNT_FAILED', `Could not mount ${name}: ${error.message}`, { cause: error, hint });
}
