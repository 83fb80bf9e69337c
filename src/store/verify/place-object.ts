/** Replaces damaged or missing objects of the store by sound ones, each with one rename. */

import { closeSync, fsyncSync, lstatSync, mkdirSync, openSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { withFileErrors } from '../../base/file-error.ts';
import { FileMode } from '../../base/file-mode.ts';
import { formatFileIdentity } from '../../host/files/existing-paths.ts';
import { unlinkIfThere } from '../../host/files/unlink-file.ts';
import type { Checksum } from '../../image/checksum.ts';
import type { ObjectKind } from '../../image/verified-image.ts';
import { formatObjectPath } from '../../ostree/object-files.ts';
import { linkOrCopy } from '../layer/link-or-copy.ts';
import type { Repair, Replacement } from './repair.ts';

/** @param source path of a sound copy that is synced, to which a hard link is made */
export async function placeLink(
  repair: Repair,
  kind: ObjectKind,
  checksum: Checksum,
  source: string,
): Promise<Replacement> {
  return place(repair, kind, checksum, (path) => linkOrCopy(source, path));
}

/** @param data content of a metadata object */
export async function placeData(
  repair: Repair,
  kind: ObjectKind,
  checksum: Checksum,
  data: Buffer,
): Promise<Replacement> {
  return place(repair, kind, checksum, (path) => {
    const file = openSync(path, 'wx', FileMode.public);
    try {
      writeFileSync(file, data);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  });
}

async function place(
  { host, scratch, verifier }: Repair,
  kind: ObjectKind,
  checksum: Checksum,
  create: (path: string) => void | Promise<void>,
): Promise<Replacement> {
  const path = formatObjectPath(host.locations.repository, checksum, kind);
  const before = await withFileErrors(`replace ${path}`, async () => {
    mkdirSync(dirname(path), { recursive: true });
    unlinkIfThere(scratch.placing);
    await create(scratch.placing);
    const damaged = lstatSync(path, { throwIfNoEntry: false });
    renameSync(scratch.placing, path);
    return damaged;
  });
  verifier.forget(kind, checksum);
  if (kind !== 'file') return {};
  return { content: checksum, ...(before === undefined ? {} : { givenUp: formatFileIdentity(before) }) };
}
