/** The destination argument of `images export` and `images push`. Parsing is pure. */
import { AtomicError } from '../base/errors.ts';
import type { ListedImage } from './image.ts';
import { formatReference, type ImageReference, parseNewName } from './reference.ts';

export type FileDestination =
  /** An OCI image layout; images are added to an existing one. */
  | { readonly kind: 'oci'; readonly path: string; readonly tag: string | undefined }
  | { readonly kind: 'oci-archive'; readonly path: string; readonly tag: string | undefined }
  /** An archive for `docker load`. */
  | { readonly kind: 'docker-archive'; readonly path: string; readonly name: string | undefined }
  /** A folder with the manifest and the blobs as files. */
  | { readonly kind: 'dir'; readonly path: string };

export interface RegistryDestination {
  readonly kind: 'registry';
  /** With its registry, and a tag or a digest. */
  readonly reference: ImageReference;
}

type NamedImage = Pick<ListedImage, 'reference' | 'tag'>;

export type Destination = FileDestination | RegistryDestination;

const FORMS = 'oci:FOLDER[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME:TAG], dir:FOLDER';

/**
 * Parses the destination of `images export`.
 *
 * @param stored the image; its tag and name are the defaults
 * @throws AtomicError BAD_VALUE
 */
export function parseFileDestination(text: string, stored: NamedImage): FileDestination {
  const [, kind, path = '', rest] =
    /^(oci|oci-archive|docker-archive|dir):([^:]*)(?::(.*))?$/s.exec(text) ?? [];
  if (kind === undefined)
    throw badDestination(text, 'its form is unknown', `Write ${FORMS}; for a registry: atomic images push.`);
  if (path === '') throw badDestination(text, 'the path is missing', `Write ${FORMS}.`);
  if (path.includes('\0')) throw badDestination(text, 'the path has a NUL byte', `Write ${FORMS}.`);
  if (kind.endsWith('-archive') && path.endsWith('/')) {
    throw badDestination(text, 'an archive is a file, not a folder', `Write ${kind}:FILE.`);
  }
  switch (kind) {
    case 'oci':
    case 'oci-archive':
      return { kind, path, tag: readLayoutTag(text, rest ?? stored.tag) };
    case 'docker-archive':
      return { kind, path, name: readArchiveName(text, rest, stored) };
    default:
      if (rest !== undefined)
        throw badDestination(text, 'such a folder holds one image, and no tag', 'Write dir:FOLDER.');
      return { kind: 'dir', path };
  }
}

/**
 * Parses the destination of `images push`.
 *
 * @param text an image name; `undefined` for the name under which the image is stored
 * @throws AtomicError BAD_REFERENCE; BAD_VALUE for a name without registry
 */
export function parseRegistryDestination(text: string | undefined, stored: string): RegistryDestination {
  const written = text ?? stored;
  if (/^(?:oci|oci-archive|docker-archive|dir):/.test(written)) {
    throw badDestination(
      written,
      'it is not a registry',
      `For files: atomic images export ${stored} ${written}`,
    );
  }
  const reference = parseNewName(written.replace(/^docker:\/\//, ''));
  if (reference.registry === undefined) {
    throw badDestination(
      written,
      'the name has no registry',
      `Write the destination: atomic images push ${stored} REGISTRY/${formatReference(reference)}`,
    );
  }
  return { kind: 'registry', reference };
}

/** Formats a destination in the form of skopeo. */
export function formatDestination(destination: Destination): string {
  switch (destination.kind) {
    case 'registry':
      return `docker://${formatReference(destination.reference)}`;
    case 'oci':
    case 'oci-archive':
      return join(destination.kind, destination.path, destination.tag);
    case 'docker-archive':
      return join(destination.kind, destination.path, destination.name);
    case 'dir':
      return join(destination.kind, destination.path, undefined);
  }
}

function join(...parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined).join(':');
}

/** The names of images in a layout that containers/image accepts. Registries accept fewer tags. */
const LAYOUT_TAG = /^[A-Za-z0-9]+(?:(?:[-._:@+/]|--)[A-Za-z0-9]+)*$/;

/** An empty tag means an image without a tag. */
function readLayoutTag(text: string, tag: string | undefined): string | undefined {
  if (tag === undefined || tag === '' || LAYOUT_TAG.test(tag)) return tag;
  throw badDestination(
    text,
    `${JSON.stringify(tag)} cannot be a tag of a layout`,
    'Write :TAG after the path: letters and digits, with single characters of -._+ between them.',
  );
}

/** The archive can name its image by a tag, not by a digest. */
function readArchiveName(text: string, written: string | undefined, stored: NamedImage): string | undefined {
  const reference = parseNewName(written ?? stored.reference);
  if (reference.digest === undefined) return formatReference(reference);
  if (written === undefined) return undefined;
  throw badDestination(text, 'the name must have a tag', 'Write docker-archive:FILE:NAME:TAG.');
}

function badDestination(text: string, reason: string, hint: string): AtomicError {
  return new AtomicError('BAD_VALUE', `reading the destination ${JSON.stringify(text)}: ${reason}`, { hint });
}
