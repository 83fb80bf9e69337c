/** Finds mounts of images that still show damaged files after a repair, because their checkouts have hard links to them. */
import { lstatSync, readdirSync } from 'node:fs';
import { tolerateMissing } from '../../base/file-error.ts';
import { formatFileIdentity } from '../../host/files/existing-paths.ts';
import type { Host } from '../../host/host.ts';
import type { StaleMount } from '../../image/verified-image.ts';
import { findMounted, listRecordedMounts } from './mount-folder.ts';

/**
 * Lists the mounts of images that show one of the given files. The caller holds the store, so no image is mounted meanwhile.
 *
 * @param files see `formatFileIdentity`
 */
export async function listMountsShowing(
  host: Host,
  files: ReadonlySet<string>,
): Promise<readonly StaleMount[]> {
  const recorded = files.size === 0 ? [] : await listRecordedMounts(host);
  const images = recorded.filter(({ record }) => record?.kind === 'image');
  const mounted = await findMounted(host, images);
  return images
    .filter(({ id, rootfs }) => mounted.has(id) && holdsAny(rootfs, files))
    .flatMap(({ record }) =>
      record === undefined ? [] : [{ name: record.name, directory: record.directory }],
    );
}

/** Names are bytes, because they may not be UTF-8. */
function holdsAny(folder: string | Buffer, files: ReadonlySet<string>): boolean {
  return readFolder(folder).some((name) => {
    const path = Buffer.concat([
      typeof folder === 'string' ? Buffer.from(folder) : folder,
      Buffer.from('/'),
      name,
    ]);
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return false;
    return stats.isDirectory() ? holdsAny(path, files) : files.has(formatFileIdentity(stats));
  });
}

function readFolder(folder: string | Buffer): Buffer[] {
  return tolerateMissing(() => readdirSync(folder, { encoding: 'buffer' })) ?? [];
}
