/** Names of images in registries (compatibility I-01). Parsing is pure: no network, no DNS (I-08). */

import { AtomicError } from '../base/errors.ts';
import { algorithmOf, type Digest, isDigest } from './digest.ts';

declare const brand: unique symbol;

/** The name of an image in a registry. Only this module makes one. */
export interface ImageReference {
  readonly [brand]: true;
  /** The name without tag and digest, as written: `gscrivano/etcd`, `127.0.0.1:5000/gscrivano/etcd`. */
  readonly repository: string;
  /** The first path element when it is a registry; `undefined` for a short name. */
  readonly registry: string | undefined;
  /** `latest` when neither tag nor digest was written; `undefined` for a name with a digest only. */
  readonly tag: string | undefined;
  /** After a tag, the digest that the image under the tag must have (`NAME:TAG@sha256:HEX`, only sha256). */
  readonly digest: Digest | undefined;
  /** Written with `http:`: the registry is asked without TLS verification (I-03). */
  readonly isInsecure: boolean;
}

const MAX_REPOSITORY_LENGTH = 255;
const PATH_ELEMENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const REGISTRY =
  /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
/** The prefixes of the original (I-02) and of skopeo for a registry. */
const PLAIN_PREFIXES = ['oci:', 'docker://'] as const;

/**
 * Parses `[REGISTRY[:PORT]/]NAME[:TAG][@DIGEST]`, with or without a prefix for a registry.
 *
 * @throws AtomicError BAD_REFERENCE; the message names the fault, the hint an example
 */
export function parseReference(text: string): ImageReference {
  const { rest, isInsecure } = dropPrefix(text);
  const { repository, tag, digest } = splitName(rest);
  if (digest?.includes('@') === true) throw badReference(text, 'it has more than one "@"');
  if (digest !== undefined && !isDigest(digest)) {
    throw badReference(
      text,
      'the digest is not "sha256:" and 64 lower-case hex digits, or "sha512:" and 128',
    );
  }
  // The store records digests of sha256; a digest of sha512 could not be compared with them.
  if (tag !== undefined && digest !== undefined && algorithmOf(digest) !== 'sha256') {
    throw badReference(text, 'a digest beside a tag must be one of sha256');
  }
  if (tag !== undefined && !TAG.test(tag))
    throw badReference(text, `the tag ${JSON.stringify(tag)} is not valid`);
  const registry = findRegistry(repository);
  const path = registry === undefined ? repository : repository.slice(registry.length + 1);
  if (registry !== undefined && !REGISTRY.test(registry))
    throw badReference(text, 'the registry is not a host name');
  if (path === '' || !path.split('/').every((element) => PATH_ELEMENT.test(element))) {
    throw badReference(
      text,
      path === path.toLowerCase() ? 'the name is not valid' : 'the name must be in lower case',
    );
  }
  if (repository.length > MAX_REPOSITORY_LENGTH) {
    throw badReference(text, `the name is longer than ${MAX_REPOSITORY_LENGTH} characters`);
  }
  return {
    repository,
    registry,
    tag: tag ?? (digest === undefined ? 'latest' : undefined),
    digest,
    isInsecure,
  } as ImageReference;
}

/** Parses the name of a stored image; `undefined` for a name that cannot be pulled. The original tool stored such names. */
export function tryParseReference(text: string): ImageReference | undefined {
  try {
    return parseReference(text);
  } catch (error) {
    if (error instanceof AtomicError) return undefined;
    throw error;
  }
}

/** Formats the name under which an image is stored: with its tag, otherwise with its digest; without prefix. */
export function formatReference({ repository, tag, digest }: ImageReference): string {
  return tag === undefined && digest !== undefined
    ? `${repository}@${digest}`
    : `${repository}:${tag ?? 'latest'}`;
}

/** Formats the name for a request to a registry or a store: with its digest, otherwise with its tag. */
export function formatRequest(reference: ImageReference): string {
  const { digest } = reference;
  return formatReference(digest === undefined ? reference : pinReference(reference, digest));
}

/** The same image by its digest; its tag may name another image now. */
export function pinReference(reference: ImageReference, digest: Digest): ImageReference {
  return { ...reference, tag: undefined, digest };
}

/** The same tag or digest in another repository. @param repository a full name, whose first element is the registry */
export function replaceRepository(reference: ImageReference, repository: string): ImageReference {
  return { ...reference, repository, registry: repository.split('/', 1)[0] };
}

/** @returns the digest that the image under the tag must have; `undefined` for a name with only one of both */
export function findPin({ tag, digest }: ImageReference): Digest | undefined {
  return tag === undefined ? undefined : digest;
}

/**
 * Parses a new name for a stored image.
 *
 * @throws AtomicError BAD_REFERENCE, also for a tag with a digest: the image could have another digest
 */
export function parseNewName(text: string): ImageReference {
  const reference = parseReference(text);
  if (findPin(reference) === undefined) return reference;
  throw badReference(text, 'a new name has a tag or a digest, not both');
}

function dropPrefix(text: string): { rest: string; isInsecure: boolean } {
  if (text.startsWith('http:')) return { rest: stripSlashes(text.slice('http:'.length)), isInsecure: true };
  if (text.startsWith('https:'))
    return { rest: stripSlashes(text.slice('https:'.length)), isInsecure: false };
  const plain = PLAIN_PREFIXES.find((prefix) => text.startsWith(prefix));
  if (plain !== undefined) return { rest: text.slice(plain.length), isInsecure: false };
  return { rest: text, isInsecure: false };
}

function stripSlashes(text: string): string {
  return text.replace(/^\/\//, '');
}

interface SplitName {
  readonly repository: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

/** Splits a name at its separators. The parts need not be valid. */
export function splitName(text: string): SplitName {
  const at = text.indexOf('@');
  const [name, digest] = at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
  const colon = name.lastIndexOf(':');
  return colon > name.lastIndexOf('/')
    ? { repository: name.slice(0, colon), tag: name.slice(colon + 1), digest }
    : { repository: name, tag: undefined, digest };
}

/** The first path element is a registry unless it could be the name of a user (I-08, without the DNS look-up). */
function findRegistry(repository: string): string | undefined {
  const slash = repository.indexOf('/');
  if (slash < 0) return undefined;
  const first = repository.slice(0, slash);
  return /[.:]/.test(first) || first === 'localhost' ? first : undefined;
}

function badReference(text: string, reason: string): AtomicError {
  return new AtomicError('BAD_REFERENCE', `reading the image name ${JSON.stringify(text)}: ${reason}`, {
    hint: 'Write NAME, NAME:TAG, REGISTRY[:PORT]/NAME[:TAG] or NAME@sha256:HEX, for example registry.example.com/team/etcd:3.4.',
  });
}
