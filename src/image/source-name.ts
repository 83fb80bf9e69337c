/**
 * What people write where a command takes an image: a name of a registry, or another source in front of a colon
 * (compatibility I-01). Parsing is pure: whether a path exists, which decides how its colons are read, is looked at in
 * `source`.
 */
import { AtomicError } from '../base/errors.ts';
import { type ImageReference, parseReference } from './reference.ts';

/** Sources that are files or folders of this machine, in the words of skopeo. */
type FileTransport = 'docker-archive' | 'oci' | 'oci-archive' | 'dir';
/** Sources that are stores of other programs. */
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
       * The name of a registry's image that it is where there is no such path, not parsed, because a path may be what
       * no such name is; `undefined` when it can mean nothing else.
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
/** A registry that is called like a prefix has a port and a path: `docker:5000/etcd`. */
const REGISTRY_WITH_PORT = /^[a-z-]+:[0-9]+\//;
/** What cannot be the name of a registry's image. */
const OBVIOUS_PATH = /^[./]/;

/** @throws AtomicError BAD_REFERENCE with what is wrong and an example */
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

/** A path and the choice behind it, `undefined` without one. */
export interface PlaceSplit {
  readonly path: string;
  readonly choice: string | undefined;
}

/**
 * The ways to read `PATH:CHOICE`, whose parts may both hold colons; the longest path first. The first that exists is
 * meant.
 */
export function listPlaceSplits(place: string): readonly PlaceSplit[] {
  const colons = [...place.matchAll(/:/g)].map(({ index }) => index).reverse();
  return [
    { path: place, choice: undefined },
    ...colons.map((colon) => ({ path: place.slice(0, colon), choice: place.slice(colon + 1) })),
  ].filter(({ path }) => path !== '');
}

/**
 * Parses the name of a stored image, also with the prefix of the source that it came from.
 *
 * @throws AtomicError BAD_REFERENCE for a file, whose content tells the name
 */
export function parseStoredName(text: string): ImageReference {
  const name = parseSourceName(text);
  if (name.kind !== 'file') return name.reference;
  if (name.orRegistry !== undefined) return parseReference(name.orRegistry);
  throw new AtomicError(
    'BAD_REFERENCE',
    `reading the image name ${JSON.stringify(text)}: it is a file, not the name of a stored image`,
    { hint: 'Use the name under which it is stored: atomic images list' },
  );
}

/** The name without the prefixes that stand for a registry (compatibility I-02, I-03). */
export function dropRegistryPrefix(text: string): string {
  return text.replace(/^(?:https?:(?:\/\/)?|oci:|docker:\/\/)/, '');
}
