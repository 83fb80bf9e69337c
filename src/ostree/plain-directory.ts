import { createHash } from 'node:crypto';
import { type DirMeta, formatDirMeta } from './ostree-objects.ts';

const meta: DirMeta = { uid: 0, gid: 0, mode: 0o040755, xattrs: [] };
const data = formatDirMeta(meta);

/** The dirmeta object of a directory that nothing describes: owner 0:0, mode 0755, no xattrs. */
export const plainDirectory = {
  meta,
  data,
  checksum: createHash('sha256').update(data).digest('hex'),
} as const;
