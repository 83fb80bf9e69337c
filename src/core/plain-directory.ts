import { createHash } from 'node:crypto';
import { formatDirMeta } from './ostree-objects.ts';

const data = formatDirMeta({ uid: 0, gid: 0, mode: 0o040755, xattrs: [] });

/** The dirmeta object of a directory that nothing describes: owner 0:0, mode 0755, no xattrs. */
export const plainDirectory = { data, checksum: createHash('sha256').update(data).digest('hex') } as const;
