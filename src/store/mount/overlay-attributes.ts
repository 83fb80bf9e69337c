/**
 * Attributes of files that make overlayfs hide or refuse them, also in the lowest layer: a file with `overlay.metacopy` has its
 * content elsewhere and cannot be read (EPERM, EIO); an empty file with `overlay.whiteout` counts as deleted. The kernel
 * obeys the attributes of one namespace: `trusted`, or `user` with the mount option `userxattr`. So the overlay uses the
 * namespace that no file of the image has. Attributes of directories have no effect in the lowest layer.
 */
import { closeSync, constants, lstatSync, openSync, readdirSync } from 'node:fs';
import { AtomicError } from '../../base/errors.ts';
import { withFileErrors } from '../../base/file-error.ts';
import { toPrintable } from '../../base/printable.ts';
import type { Host } from '../../host/host.ts';
import { throwIfInterrupted } from '../../host/interruption.ts';

export type OverlayNamespace = 'trusted' | 'user';

const ATTRIBUTE = /^(trusted|user)\.overlay\.(?:metacopy|whiteout)$/;
const SLASH = Buffer.from('/');
const DIRECTORIES_PER_TURN = 64;
const openFolder = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/**
 * Chooses the namespace of overlay attributes for a mount, so that no file is hidden.
 *
 * @param root absolute path of a folder that does not change meanwhile; symlinks are not followed
 * @param name name of the mounted object, for messages
 * @throws AtomicError MOUNT_FAILED when files have attributes of both namespaces; INTERRUPTED; file errors
 */
export async function chooseOverlayNamespace(
  host: Host,
  root: string,
  name: string,
): Promise<OverlayNamespace> {
  const { trusted, user } = await withFileErrors(`read ${root}`, () =>
    findOverlayFiles(host, Buffer.from(root)),
  );
  if (trusted === undefined) return 'trusted';
  if (user === undefined) return 'user';
  const [one, other] = [trusted, user].map((path) => toPrintable(path.toString()));
  throw new AtomicError(
    'MOUNT_FAILED',
    `Could not mount ${name}: no overlay shows both ${one} and ${other}, which have attributes trusted.overlay and user.overlay`,
    { hint: 'Install it, or unpack what `atomic images export` writes: those files are complete.' },
  );
}

/** Names are bytes, because an image may have names that are not UTF-8. */
async function findOverlayFiles(
  host: Host,
  root: Buffer,
): Promise<{ readonly [K in OverlayNamespace]?: Buffer }> {
  const { listXattrNames } = await import('../../native/xattr.ts');
  const found: { [K in OverlayNamespace]?: Buffer } = {};
  let count = 0;
  const visit = async (place: Buffer, shown: Buffer): Promise<void> => {
    // Signals arrive only between turns of the event loop.
    if (count % DIRECTORIES_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
    count += 1;
    throwIfInterrupted(host);
    const folder = openSync(place, openFolder);
    try {
      // Paths in an image may be as long as the kernel allows, and the host's prefix would make them longer.
      const opened = Buffer.from(`/proc/self/fd/${folder}/`);
      for (const name of readdirSync(opened, { encoding: 'buffer' })) {
        const path = Buffer.concat([opened, name]);
        const stats = lstatSync(path);
        if (stats.isDirectory()) await visit(path, Buffer.concat([shown, SLASH, name]));
        if (!stats.isFile()) continue;
        for (const attribute of listXattrNames(path)) {
          const namespace = ATTRIBUTE.exec(attribute.toString())?.[1] as OverlayNamespace | undefined;
          if (namespace !== undefined) found[namespace] ??= Buffer.concat([shown, SLASH, name]);
        }
      }
    } finally {
      closeSync(folder);
    }
  };
  await visit(root, Buffer.alloc(0));
  return found;
}
