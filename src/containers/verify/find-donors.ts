import { existsSync, lstatSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { AtomicError } from '../../base/errors.ts';
import type { Host } from '../../host/host.ts';
import { type Checksum, isChecksum } from '../../image/checksum.ts';
import { formatObjectPath } from '../../ostree/object-files.ts';
import { tolerateDamage } from '../../ostree/tolerate-damage.ts';
import { readImageRoot } from '../../store/image-root.ts';
import { checksumPath } from '../../store/verify/checksum-path.ts';
import { findPaths } from '../../store/verify/object-places.ts';
import { formatObjectKey } from '../../store/verify/object-verifier.ts';
import { buildDeploymentPaths } from '../deployment.ts';
import type { InstalledDeployment } from '../list-deployments.ts';

/**
 * Finds lost content objects of the store in deployments, which still have hard links of them.
 *
 * @param checksums of the objects
 * @returns checksum -> absolute path of a file with exactly that content, owner, mode and xattrs
 */
export async function findDonors(
  host: Host,
  deployments: readonly InstalledDeployment[],
  checksums: ReadonlySet<Checksum>,
): Promise<ReadonlyMap<Checksum, string>> {
  const { repository } = host.locations;
  const donors = new Map<Checksum, string>();
  for (const { name, folder, record } of deployments) {
    const commit = record.ostreeCommit;
    if (!isChecksum(commit)) continue;
    const missing = [...checksums].filter((checksum) => !donors.has(checksum));
    const wanted = new Set(missing.map((checksum) => formatObjectKey('file', checksum)));
    const places = tolerateDamage(() => findPaths(readImageRoot(repository, commit), wanted));
    const { rootfs } = buildDeploymentPaths(folder, name);
    for (const checksum of places === undefined ? [] : missing) {
      for (const path of places?.get(formatObjectKey('file', checksum)) ?? []) {
        if (!isInside(rootfs, path) || !(await isWhole(host, `${rootfs}${path}`, checksum))) continue;
        donors.set(checksum, `${rootfs}${path}`);
        break;
      }
    }
  }
  return donors;
}

/** A symlink in place of a folder may lead to a file of the host, which must not become an object. */
function isInside(rootfs: string, path: string): boolean {
  const folder = dirname(`${rootfs}${path}`);
  return (
    existsSync(folder) &&
    realpathSync(folder) === `${realpathSync(rootfs)}${dirname(path)}`.replace(/\/$/, '')
  );
}

async function isWhole(host: Host, path: string, checksum: Checksum): Promise<boolean> {
  const [file, object] = [path, formatObjectPath(host.locations.repository, checksum, 'file')].map((each) =>
    lstatSync(each, { throwIfNoEntry: false }),
  );
  if (file === undefined || file.ino === object?.ino || !(file.isFile() || file.isSymbolicLink()))
    return false;
  try {
    return (await checksumPath(path)) === checksum;
  } catch (error) {
    // A file that cannot be read cannot replace an object.
    if (error instanceof AtomicError && error.code === 'STORE_FAILED') return false;
    throw error;
  }
}
