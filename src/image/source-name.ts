/**
 * The image argument of a command: a name in a registry, or another source before a colon (compatibility I-01). Parsing
 * is pure: `source` finds the existing path, which determines the meaning of its colons.
 */
import { AtomicError } from '../base/errors.ts';
import { formatReference, type ImageReference, parseReference } from './reference.ts';

/** Sources that are files or folders of this machine, in the words of skopeo. */
type FileTransport = 'docker-archive' | 'oci' | 'oci-archive' | 'dir';
/** Sources that are image stores of other programs. */
export type StoreTransport = 'docker-daemon' | 'containers-storage';

export type SourceName =
  | { readonly kind: 'registry'; readonly reference: ImageReference }
  | {
      readonly kind: 'file';
      readonly transport: FileTransport;
      /** The prefix as written, without colon: `dockertar`. */
      readonly prefix: string;
      /** `PATH`, or `PATH:CHOICE` with the name or tag of one image in it. */
      readonly place: string;
      /**
       * The text as the name of an image in a registry, which it is when the path does not exist; `undefined` when the
       * text can only be a file. It is not parsed yet, because a path need not be a valid name.
       */
      readonly orRegistry: string | undefined;
    }
  | { readonly kind: 'store'; readonly transport: StoreTransport; readonly reference: ImageReference };

const FILE_PREFIXES: Readonly<Record<string, FileTransport>> = {
  dockertar: 'docker-archive',
  'docker-archive': 'docker-archive',
  oci: 'oci',
  'oci-archive': 'oci-archive',
  dir: 'dir',
};
const STORE_PREFIXES: Readonly<Record<string, StoreTransport>> = {
  docker: 'docker-daemon',
  'docker-daemon': 'docker-daemon',
  'containers-storage': 'containers-storage',
};
/** `docker:5000/etcd` is a registry with a port and a path, although its host has the name of a prefix. */
const REGISTRY_WITH_PORT = /^[a-z-]+:[0-9]+\//;
/** Names of images in registries do not begin like this. */
const OBVIOUS_PATH = /^[./]/;

/** @throws AtomicError BAD_REFERENCE with the fault and an example */
export function parseSourceName(text: string): SourceName {
  const prefix = text.slice(0, Math.max(0, text.indexOf(':')));
  const rest = text.slice(prefix.length + 1);
  const fileTransport = Object.hasOwn(FILE_PREFIXES, prefix) ? FILE_PREFIXES[prefix] : undefined;
  if (fileTransport !== undefined) return parseFile(text, fileTransport, prefix, rest);
  const storeTransport = Object.hasOwn(STORE_PREFIXES, prefix) ? STORE_PREFIXES[prefix] : undefined;
  const isRegistry = rest.startsWith('//') || REGISTRY_WITH_PORT.test(text);
  if (storeTransport === undefined || isRegistry) {
    return { kind: 'registry', reference: parseReference(text) };
  }
  return { kind: 'store', transport: storeTransport, reference: parseReference(rest) };
}

function parseFile(text: string, transport: FileTransport, prefix: string, place: string): SourceName {
  if (place === '') {
    throw new AtomicError(
      'BAD_REFERENCE',
      `reading the image name ${JSON.stringify(text)}: the path is missing`,
      {
        hint: `Write ${prefix}:PATH, for example ${prefix}:/var/tmp/etcd${transport === 'oci' || transport === 'dir' ? '' : '.tar'}.`,
      },
    );
  }
  const mayBeRegistry = transport === 'oci' ? !OBVIOUS_PATH.test(place) : REGISTRY_WITH_PORT.test(text);
  return {
    kind: 'file',
    transport,
    prefix,
    place,
    orRegistry: mayBeRegistry ? text : undefined,
  };
}

/** One way to read `PATH[:CHOICE]`. */
export interface PlaceSplit {
  readonly path: string;
  /** The name or tag after the path; `undefined` without one. */
  readonly choice: string | undefined;
}

/**
 * Lists the ways to read `PATH:CHOICE`, the longest path first. Both parts may hold colons; the first path that exists
 * counts.
 */
export function listPlaceSplits(place: string): readonly PlaceSplit[] {
  const colons = [...place.matchAll(/:/g)].map(({ index }) => index).reverse();
  return [
    { path: place, choice: undefined },
    ...colons.map((colon) => ({ path: place.slice(0, colon), choice: place.slice(colon + 1) })),
  ].filter(({ path }) => path !== '');
}

/**
 * Parses the name of a stored image. The name may have the prefix of the source that the image came from.
 *
 * @throws AtomicError BAD_REFERENCE for a file: its name is in its content
 */
export function parseStoredName(text: string): ImageReference {
  const name = parseSourceName(text);
  if (name.kind !== 'file') return name.reference;
  if (name.orRegistry !== undefined) return parseReference(name.orRegistry);
  throw new AtomicError(
    'BAD_REFERENCE',
    `reading the image name ${JSON.stringify(text)}: it is a file, not the name of a stored image`,
    { hint: 'Use the name of the stored image: atomic images list' },
  );
}

/**
 * Formats the full name of an image that a deployment records as the user wrote it. The original recorded also what is
 * not a name; that is returned unchanged.
 */
export function formatFullName(written: string): string {
  try {
    return formatReference(parseStoredName(written));
  } catch (error) {
    if (error instanceof AtomicError) return written;
    throw error;
  }
}

/** Removes the prefixes of registries (compatibility I-02, I-03). */
export function dropRegistryPrefix(text: string): string {
  return text.replace(/^(?:https?:(?:\/\/)?|oci:|docker:\/\/)/, '');
}
