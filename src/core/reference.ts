/** Names of images in registries (compatibility 1.2). Parsing is pure: no network, no DNS (I-08). */
import { AtomicError } from './errors.ts';

/** An image in a registry. */
export interface ImageReference {
  /** The name without tag and digest, as written: `gscrivano/etcd`, `127.0.0.1:5000/gscrivano/etcd`. */
  readonly repository: string;
  /** First path element when it names a registry; `undefined` for a short name. */
  readonly registry: string | undefined;
  /** Set unless there is a digest; `latest` when nothing was written. */
  readonly tag: string | undefined;
  /** `sha256:` and 64 hex digits. */
  readonly digest: string | undefined;
  /** Written with `http:`: the registry is asked without TLS verification (I-03). */
  readonly isInsecure: boolean;
}

const MAX_REPOSITORY_LENGTH = 255;
const PATH_ELEMENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const REGISTRY =
  /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
/** The original's word for a registry (I-02), and skopeo's. */
const PLAIN_PREFIXES = ['oci:', 'docker://'] as const;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/**
 * @throws AtomicError BAD_REFERENCE with what is wrong and an example
 */
export function parseReference(text: string): ImageReference {
  const { rest, isInsecure } = dropPrefix(text);
  const [name = '', digest, ...more] = rest.split('@');
  if (more.length > 0) throw badReference(text, 'it has more than one "@"');
  const { repository, tag } = splitTag(name);
  if (digest !== undefined && tag !== undefined) {
    throw badReference(text, 'An image name cannot have both a tag and manifest digest in its name');
  }
  if (digest !== undefined && !DIGEST.test(digest)) {
    throw badReference(text, 'the digest is not "sha256:" and 64 lower-case hex digits');
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
    tag: digest === undefined ? (tag ?? 'latest') : undefined,
    digest,
    isInsecure,
  };
}

/** The name under which an image is stored: with its tag or digest, without prefix. */
export function formatReference({ repository, tag, digest }: ImageReference): string {
  return digest === undefined ? `${repository}:${tag ?? 'latest'}` : `${repository}@${digest}`;
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

function splitTag(name: string): { repository: string; tag: string | undefined } {
  const colon = name.lastIndexOf(':');
  return colon > name.lastIndexOf('/')
    ? { repository: name.slice(0, colon), tag: name.slice(colon + 1) }
    : { repository: name, tag: undefined };
}

/** The first path element is a registry when it could not be the name of a user (I-08, without the DNS look-up). */
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
