/** Finds the location of an image that the user has named: whether a path exists, and which images an archive or a layout has. */
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { AtomicError, wrapError } from '../base/errors.ts';
import { isErrno, noPath } from '../base/file-error.ts';
import { toPrintable } from '../base/printable.ts';
import type { Host } from '../host/host.ts';
import { canBeFound, requireFindable } from '../host/working-directory.ts';
import {
  chooseArchived,
  chooseOfLayout,
  type ImagePlace,
  parseArchiveIndex,
  parseLayoutIndex,
} from '../image/archive-index.ts';
import { cleanMemberPath, followLayerLinks } from '../image/archive-members.ts';
import type { ImageLocation } from '../image/image-location.ts';
import { type ImageReference, parseReference } from '../image/reference.ts';
import { listPlaceSplits, type PlaceSplit, type SourceName } from '../image/source-name.ts';
import { archiveInvalid, formatOtherPrefix, sourceUnreadable, toReadError } from './failures/file-failure.ts';
import { checkDirFolder, readLayoutFolder } from './local/local-folder.ts';

const ARCHIVE_NAME = /\.(?:oci|tar|tar\.[a-z0-9]+|tgz)$/i;
const SYMLINK = '2';
/** Limit of symlinks in an archive: 200 images with the maximum number of layers. */
const MAX_LINKS = 100_000;

/**
 * Finds the image that the user has named. Reads only files; registries and engines are asked when the image is opened.
 *
 * @param name the parsed argument of `atomic pull`
 * @throws AtomicError BAD_REFERENCE, also when there are several images and the name chooses none; IMAGE_NOT_FOUND,
 * ARCHIVE_INVALID, SOURCE_UNREADABLE
 */
export async function locateImage(host: Host, name: SourceName): Promise<ImageLocation> {
  if (name.kind !== 'file') return name;
  const place = await findPlace(name);
  if (place === undefined) return locateElsewhere(host, name);
  const { choice } = place;
  const path = resolve(place.path);
  const { prefix } = name;
  try {
    switch (name.transport) {
      case 'docker-archive':
        return await locateArchived(host, { prefix, path }, choice);
      case 'oci-archive': {
        const text = await readLayoutArchive(host, path);
        return {
          kind: 'oci-archive',
          path,
          ...chooseOfLayout(parseLayoutIndex(text, path), choice, { prefix, path }),
        };
      }
      case 'oci': {
        const text = await readLayoutFolder(path);
        return {
          kind: 'oci',
          path,
          ...chooseOfLayout(parseLayoutIndex(text, path), choice, { prefix, path }),
        };
      }
      case 'dir':
        await checkDirFolder(path);
        return { kind: 'dir', path };
    }
  } catch (error) {
    throw toReadError(error, path);
  }
}

type FileName = Extract<SourceName, { kind: 'file' }>;

/** An existing file takes precedence over every other interpretation of the colons. */
async function findPlace({ place, transport, orRegistry }: FileName): Promise<PlaceSplit | undefined> {
  const splits = transport === 'dir' ? listPlaceSplits(place).slice(0, 1) : listPlaceSplits(place);
  for (const split of splits) {
    const kind = await findKind(split.path);
    if (kind === 'folder') return split;
    // A file that has the name of a registry's image by accident is ignored, unless it is an archive.
    const isMeant = orRegistry === undefined || ARCHIVE_NAME.test(split.path);
    if (kind === 'file' && isMeant) return split;
    if (kind === 'special') throw sourceUnreadable(split.path, 'it is neither a file nor a folder');
  }
  return undefined;
}

async function findKind(path: string): Promise<'folder' | 'file' | 'special' | undefined> {
  if (!canBeFound(path)) return undefined;
  try {
    const stats = await stat(path);
    if (stats.isDirectory()) return 'folder';
    // Opening a FIFO would block, and archives are read more than once.
    return stats.isFile() ? 'file' : 'special';
  } catch (error) {
    if (isErrno(error, ...noPath, 'ENAMETOOLONG')) return undefined;
    throw toReadError(error, path);
  }
}

function locateElsewhere(host: Host, { orRegistry, place, prefix }: FileName): ImageLocation {
  // Without the host of a registry, it may be a folder or the name of an image.
  if (!/^(?:localhost|[^/]*[.:][^/]*)\//.test(place)) requireFindable(place);
  if (orRegistry === undefined) {
    throw new AtomicError(
      'IMAGE_NOT_FOUND',
      `reading ${toPrintable(place)}: there is no such file or folder`,
      {
        hint: `Check the path; a relative path begins at the current folder. The form is ${prefix}:PATH.`,
      },
    );
  }
  const reference = parseInsteadOfFolder(orRegistry, place);
  host.report({
    kind: 'warning',
    text: `There is no folder ${toPrintable(place)}; '${prefix}:' is read as the name of a registry's image.`,
  });
  return { kind: 'registry', reference };
}

function parseInsteadOfFolder(name: string, place: string): ImageReference {
  try {
    return parseReference(name);
  } catch (error) {
    throw wrapError(error, `there is no folder ${toPrintable(place)}`);
  }
}

async function locateArchived(
  host: Host,
  place: ImagePlace,
  choice: string | undefined,
): Promise<ImageLocation> {
  const { path } = place;
  const { readArchiveMember } = await import('./local/archive-file.ts');
  const links = new Map<string, string>();
  let isLayout = false;
  const { isCompressed, text } = await readArchiveMember(host, {
    path,
    member: 'manifest.json',
    watch: async ({ type, name, linkName }) => {
      isLayout ||= cleanMemberPath(name.toString('utf8')) === 'index.json';
      if (type !== SYMLINK) return;
      if (links.size >= MAX_LINKS) throw archiveInvalid(path, `it has more than ${MAX_LINKS} symlinks`);
      links.set(cleanMemberPath(name.toString('utf8')), linkName.toString('utf8'));
    },
  });
  if (text === undefined) {
    const problem = 'it has no manifest.json, so it is not an archive of "docker save"';
    throw archiveInvalid(
      path,
      problem,
      isLayout ? formatOtherPrefix(path, 'an OCI archive', 'oci-archive') : undefined,
    );
  }
  const chosen = chooseArchived(parseArchiveIndex(text, path), choice, place);
  const linked = followLayerLinks(text, chosen.index, links);
  return {
    kind: 'docker-archive',
    path,
    isCompressed,
    ...chosen,
    ...(linked === undefined ? {} : { linked }),
  };
}

async function readLayoutArchive(host: Host, path: string): Promise<string> {
  const { findLayoutProblem, readArchiveMember } = await import('./local/archive-file.ts');
  const problems: string[] = [];
  let isSaved = false;
  const { text } = await readArchiveMember(host, {
    path,
    member: 'index.json',
    watch: async (header, content) => {
      isSaved ||= cleanMemberPath(header.name.toString('utf8')) === 'manifest.json';
      const problem = await findLayoutProblem(header, content);
      if (problem !== undefined) problems[0] ??= problem;
    },
  });
  if (text === undefined) {
    throw archiveInvalid(
      path,
      'it has no index.json, so it is not an OCI archive',
      isSaved ? formatOtherPrefix(path, 'an archive of "docker save"', 'dockertar') : undefined,
    );
  }
  if (problems[0] !== undefined) throw archiveInvalid(path, problems[0]);
  return text;
}
