/**
 * Copies one image of an archive of `docker save` into an archive of its own. This is for images whose layers are symlinks:
 * skopeo 1.9 follows these, but uses the size of the link as the size of the layer. The image keeps its id, because that
 * follows from its configuration and its layers.
 *
 * ```
 * 0.json          the configuration
 * 0.tar, 1.tar    the layers, each once
 * manifest.json
 * ```
 */
import { type FileHandle, open } from 'node:fs/promises';
import { FileMode } from '../../base/file-mode.ts';
import { toPrintable } from '../../base/printable.ts';
import type { Host } from '../../host/host.ts';
import { type ArchiveMembers, cleanMemberPath } from '../../image/archive-members.ts';
import { formatMemberHeader, formatPadding, TAR_END } from '../../tar/tar-member.ts';
import { archiveInvalid } from '../failures/file-failure.ts';
import { readArchiveMember } from './archive-file.ts';

/**
 * Copies only regular files of the archive; symlinks are resolved inside the archive, never on this machine.
 *
 * @param path archive to read, plain or gzip
 * @param destination file to write; an existing file is overwritten
 * @throws AtomicError ARCHIVE_INVALID when a member is missing or is not a file; failed system calls
 */
export async function writeSingleImageArchive(
  host: Host,
  path: string,
  { config, layers }: ArchiveMembers,
  destination: string,
): Promise<void> {
  const names = new Map<string, string>([[config, '0.json']]);
  for (const layer of new Set(layers)) names.set(layer, `${names.size - 1}.tar`);
  const missing = new Set(names.keys());
  const file = await open(destination, 'w', FileMode.private);
  try {
    await readArchiveMember(host, {
      path,
      member: 'manifest.json',
      watch: async ({ type, name, size }, content) => {
        const member = cleanMemberPath(name.toString('utf8'));
        const copiedAs = names.get(member);
        // skopeo uses the first of two files with the same name.
        if (type !== '0' || copiedAs === undefined || !missing.delete(member)) return;
        await writeMember(file, copiedAs, size, content.pieces());
      },
    });
    const [lost] = missing;
    if (lost !== undefined) {
      throw archiveInvalid(path, `'${toPrintable(lost, 200)}', a part of the image, is no file in it`);
    }
    const image = {
      Config: names.get(config),
      RepoTags: [],
      Layers: layers.map((layer) => names.get(layer)),
    };
    const manifest = Buffer.from(JSON.stringify([image]));
    await writeMember(file, 'manifest.json', manifest.length, [manifest]);
    await file.writeFile(TAR_END);
  } finally {
    await file.close();
  }
}

async function writeMember(
  file: FileHandle,
  name: string,
  size: number,
  content: Iterable<Buffer> | AsyncIterable<Buffer>,
): Promise<void> {
  await file.writeFile(formatMemberHeader(name, size));
  for await (const piece of content) await file.writeFile(piece);
  await file.writeFile(formatPadding(size));
}
