/** An image of a source that was looked at: what is there, what it is called, and how skopeo names it. */

import { AtomicError } from '../base/errors.ts';
import { toPrintable } from '../base/printable.ts';
import type { ArchiveMembers } from './archive-members.ts';
import { formatReference, formatRequest, type ImageReference, parseReference } from './reference.ts';
import type { StoreTransport } from './source-name.ts';

export type ImageLocation =
  | { readonly kind: 'registry'; readonly reference: ImageReference }
  | { readonly kind: 'store'; readonly transport: StoreTransport; readonly reference: ImageReference }
  | {
      /** One image of an archive of `docker save`. */
      readonly kind: 'docker-archive';
      /** Absolute. */
      readonly path: string;
      readonly isCompressed: boolean;
      /** Position of the image in the archive's list. */
      readonly index: number;
      /** What it consists of, when layers of it are symlinks in the archive. */
      readonly linked?: ArchiveMembers;
      /** The name it has there; `undefined` when it was saved without one. */
      readonly name: string | undefined;
    }
  | {
      readonly kind: 'oci' | 'oci-archive';
      /** Absolute. */
      readonly path: string;
      /** The annotation that names it; `undefined` for the only image of a layout that names none. */
      readonly tag: string | undefined;
      /** Its full name, when an annotation has one. */
      readonly name: string | undefined;
      /** What the index says of the manifest or list; `undefined` when it says nothing. */
      readonly described: ManifestDescriptor | undefined;
    }
  | {
      readonly kind: 'dir';
      /** Absolute. */
      readonly path: string;
    };

/** Names the bytes of a manifest or a list of them. */
export interface ManifestDescriptor {
  /** As written: normally `sha256:` and 64 hex digits. */
  readonly digest: string;
  readonly size: number | undefined;
}

/** Recorded with the image, in the words of skopeo: `docker-archive:/tmp/etcd.tar:etcd:3.4`. */
export function formatLocation(location: ImageLocation): string {
  switch (location.kind) {
    case 'registry':
      return `docker://${formatRequest(location.reference)}`;
    case 'store':
      return `${location.transport}:${formatRequest(location.reference)}`;
    case 'docker-archive':
      return `docker-archive:${location.path}:${location.name ?? `@${location.index}`}`;
    case 'oci':
    case 'oci-archive':
      return `${location.kind}:${location.path}${location.tag === undefined ? '' : `:${location.tag}`}`;
    case 'dir':
      return `dir:${location.path}`;
  }
}

/**
 * Builds the name under which the image is stored: the one it has in its source, else that of its file or folder.
 *
 * @returns with tag or digest
 * @throws AtomicError BAD_REFERENCE when that is no name for an image
 */
export function nameImage(location: ImageLocation): string {
  switch (location.kind) {
    case 'registry':
    case 'store':
      return formatReference(location.reference);
    case 'docker-archive':
      return checkName(location, location.name ?? readFileName(location.path));
    case 'oci':
    case 'oci-archive': {
      const { name, tag, path } = location;
      return checkName(location, name ?? joinTag(readFileName(path), tag));
    }
    case 'dir':
      return checkName(location, readFileName(location.path));
  }
}

/** An annotation holds a tag, or a whole name, which is told by its separators. */
export function isFullName(annotation: string): boolean {
  return /[/:@]/.test(annotation);
}

function joinTag(name: string, tag: string | undefined): string {
  return tag === undefined ? name : `${name}:${tag}`;
}

function readFileName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1).replace(/\.(?:tar|tar\.gz|tgz)$/, '');
}

function checkName(location: ImageLocation, name: string): string {
  try {
    return formatReference(parseReference(name));
  } catch (error) {
    if (!(error instanceof AtomicError)) throw error;
    throw new AtomicError(
      'BAD_REFERENCE',
      `naming the image of ${toPrintable(formatLocation(location), 200)}: '${toPrintable(name, 80)}' is not a name for an image`,
      { hint: 'Store it under another name: atomic pull --as NAME[:TAG] SOURCE' },
    );
  }
}
