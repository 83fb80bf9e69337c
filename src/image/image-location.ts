/** An image that was found in a source: its place, its name, and the form in which skopeo names it. */

import { AtomicError } from '../base/errors.ts';
import { toPrintable } from '../base/printable.ts';
import type { ArchiveMembers } from './archive-members.ts';
import { formatRequest, type ImageReference, parseReference } from './reference.ts';
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
      /** The members of the image, when some of its layers are symlinks in the archive. */
      readonly linked?: ArchiveMembers;
      /** The name in the archive; `undefined` when the image was saved without one. */
      readonly name: string | undefined;
    }
  | {
      readonly kind: 'oci' | 'oci-archive';
      /** Absolute. */
      readonly path: string;
      /** The annotation that names the image; `undefined` for the only image of a layout without names. */
      readonly tag: string | undefined;
      /** The full name of the image, when an annotation has one. */
      readonly name: string | undefined;
      /** The descriptor of the manifest or list in the index; `undefined` without one. */
      readonly described: ManifestDescriptor | undefined;
    }
  | {
      readonly kind: 'dir';
      /** Absolute. */
      readonly path: string;
    };

/** Describes the bytes of a manifest or of a list of manifests. */
export interface ManifestDescriptor {
  /** The digest as the index has it, not checked: normally `sha256:` and 64 hex digits. */
  readonly digest: string;
  readonly size: number | undefined;
}

/** Formats a location in the form of skopeo, for the record of the image: `docker-archive:/tmp/etcd.tar:etcd:3.4`. */
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
 * Finds the name under which the image is stored: its name in the source, otherwise the name of its file or folder.
 *
 * @throws AtomicError BAD_REFERENCE when the result is not a valid name for an image
 */
export function nameLocatedImage(location: ImageLocation): ImageReference {
  switch (location.kind) {
    case 'registry':
    case 'store':
      return location.reference;
    case 'docker-archive':
      return parseName(location, location.name ?? readFileName(location.path));
    case 'oci':
    case 'oci-archive': {
      const { name, tag, path } = location;
      return parseName(location, name ?? joinTag(readFileName(path), tag));
    }
    case 'dir':
      return parseName(location, readFileName(location.path));
  }
}

/** An annotation holds a tag or a full name. Only a full name has separators. */
export function isFullName(annotation: string): boolean {
  return /[/:@]/.test(annotation);
}

function joinTag(name: string, tag: string | undefined): string {
  return tag === undefined ? name : `${name}:${tag}`;
}

function readFileName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1).replace(/\.(?:tar|tar\.gz|tgz)$/, '');
}

function parseName(location: ImageLocation, name: string): ImageReference {
  try {
    return parseReference(name);
  } catch (error) {
    if (!(error instanceof AtomicError)) throw error;
    throw new AtomicError(
      'BAD_REFERENCE',
      `naming the image of ${toPrintable(formatLocation(location), 200)}: '${toPrintable(name, 80)}' is not a name for an image`,
      { hint: 'Store it under another name: atomic pull --as NAME[:TAG] SOURCE' },
    );
  }
}
