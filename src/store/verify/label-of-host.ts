/**
 * A host with an active SELinux policy labels every file that it makes. Images are stored without labels, so that a checksum
 * of the file on the disk, which covers all xattrs, is not that of the object.
 */
import { createReadStream, lstatSync, readlinkSync } from 'node:fs';
import { readXattrs } from '../../native/xattr.ts';
import { formatFileHeader } from '../../ostree/ostree-objects.ts';

const LABEL = 'security.selinux';

/**
 * Computes the checksum that a file or symlink in a `bare` repository has without its SELinux label.
 *
 * @returns 64 hex digits; `undefined` when it has no label
 * @throws Error of the system when it cannot be read
 */
export async function checksumWithoutLabel(path: string): Promise<string | undefined> {
  const xattrs = readXattrs(path);
  const others = xattrs.filter(([name]) => name.toString() !== LABEL);
  if (others.length === xattrs.length) return undefined;
  // As libostree stores them: names end with a NUL and are in the order of their bytes.
  const sorted = others
    .map(([name, value]) => [Buffer.concat([name, Buffer.alloc(1)]), value] as const)
    .sort(([a], [b]) => Buffer.compare(a, b));
  const stats = lstatSync(path);
  const meta = { uid: stats.uid, gid: stats.gid, mode: stats.mode, xattrs: sorted };
  const target = stats.isSymbolicLink() ? readlinkSync(path) : '';
  const hash = new Bun.CryptoHasher('sha256').update(formatFileHeader(meta, target));
  if (stats.isFile()) for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
