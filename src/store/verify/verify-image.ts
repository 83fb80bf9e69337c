/**
 * Verifies all objects of an image: its commit and the merged tree, the commit of every layer with its tree, and its
 * configuration. Changes nothing.
 */

import type { Host } from '../../host/host.ts';
import type { Checksum } from '../../image/checksum.ts';
import type { Digest } from '../../image/digest.ts';
import { formatBlobRef } from '../../image/ref-name.ts';
import type { ObjectKind, StoreProblem, VerifiedImage } from '../../image/verified-image.ts';
import { findRef, readCommit, readDirTree } from '../../ostree/object-files.ts';
import type { Commit } from '../../ostree/ostree-objects.ts';
import { tolerateDamage } from '../../ostree/tolerate-damage.ts';
import { hasMergedRoot, type ImageRoot, readCommitRoot, readImageRoot } from '../image-root.ts';
import { findPaths } from './object-places.ts';
import { formatObjectKey, type ObjectVerifier } from './object-verifier.ts';
import type { VerifyTarget } from './verify-targets.ts';

/** A verified image without its deployments. */
export type VerifiedContent = Omit<VerifiedImage, 'deployments'>;

/** A commit that belongs to the image. */
interface VerifiedCommit {
  readonly part: 'image' | 'layer' | 'configuration';
  /** Digest of the blob; `undefined` for the image itself. */
  readonly digest: Digest | undefined;
  readonly ref: string | undefined;
  readonly commit: Checksum | undefined;
}

interface FoundDamage {
  readonly kind: ObjectKind;
  readonly checksum: Checksum;
  readonly state: 'missing' | 'damaged';
  readonly reason: string;
  readonly roots: Set<VerifiedCommit>;
}

/**
 * @param verifier verifier that may have read objects for other images
 * @throws INTERRUPTED
 */
export async function verifyImage(
  host: Host,
  verifier: ObjectVerifier,
  target: VerifyTarget,
): Promise<VerifiedContent> {
  const walk = new ImageWalk(host, verifier);
  const roots = listRoots(host, target);
  for (const root of roots) await walk.visitRoot(root);
  return {
    reference: target.reference,
    id: target.image?.id,
    objects: walk.objects,
    bytes: walk.bytes,
    problems: [
      ...roots.flatMap((root) => describeRefProblem(host, root)),
      ...describeProblems(host, roots, [...walk.found.values()]),
    ],
  };
}

function listRoots(host: Host, { ref, commit, image }: VerifyTarget): VerifiedCommit[] {
  const { repository } = host.locations;
  const buildRoot = (part: VerifiedCommit['part'], digest: Digest): VerifiedCommit => {
    const blobRef = formatBlobRef(digest);
    return { part, digest, ref: blobRef, commit: tolerateDamage(() => findRef(repository, blobRef)) };
  };
  return [
    { part: 'image', digest: undefined, ref, commit },
    ...[...new Set(image?.layerDigests ?? [])].map((digest) => buildRoot('layer', digest)),
    ...(image?.configDigest === undefined ? [] : [buildRoot('configuration', image.configDigest)]),
  ];
}

class ImageWalk {
  readonly #host: Host;
  readonly #verifier: ObjectVerifier;
  readonly #sound = new Set<string>();
  readonly found = new Map<string, FoundDamage>();
  bytes = 0;

  constructor(host: Host, verifier: ObjectVerifier) {
    this.#host = host;
    this.#verifier = verifier;
  }

  get objects(): number {
    return this.#sound.size + this.found.size;
  }

  async visitRoot(root: VerifiedCommit): Promise<void> {
    if (root.commit === undefined || !(await this.#check('commit', root.commit, root))) return;
    const { repository } = this.#host.locations;
    const commit = readCommit(repository, root.commit);
    await this.#check('dirmeta', commit.dirmeta, root);
    await this.#visitFolder(commit.dirtree, root, new Set());
    const merged = tolerateDamage(() => findUnstoredRoot(repository, root, commit));
    if (merged !== undefined) await this.#visitUnstored(merged, merged.dirtree, root, new Set());
  }

  /** Visits the files of an image whose layers are not merged yet. Its directories are those of the layers. */
  async #visitUnstored(
    merged: ImageRoot,
    checksum: Checksum,
    root: VerifiedCommit,
    visited: Set<string>,
  ): Promise<void> {
    if (visited.has(checksum)) return;
    visited.add(checksum);
    const { files, directories } = merged.readTree(checksum);
    for (const file of files) await this.#check('file', file.checksum, root);
    for (const { dirtree } of directories) await this.#visitUnstored(merged, dirtree, root, visited);
  }

  async #visitFolder(checksum: Checksum, root: VerifiedCommit, visited: Set<string>): Promise<void> {
    if (visited.has(checksum) || !(await this.#check('dirtree', checksum, root))) return;
    visited.add(checksum);
    const { files, directories } = readDirTree(this.#host.locations.repository, checksum);
    for (const file of files) await this.#check('file', file.checksum, root);
    for (const { dirtree, dirmeta } of directories) {
      await this.#check('dirmeta', dirmeta, root);
      await this.#visitFolder(dirtree, root, visited);
    }
  }

  async #check(kind: ObjectKind, checksum: Checksum, root: VerifiedCommit): Promise<boolean> {
    const key = formatObjectKey(kind, checksum);
    if (this.#sound.has(key)) return true;
    const verdict = await this.#verifier.check(kind, checksum);
    if (verdict.state === 'sound') {
      this.#sound.add(key);
      this.bytes += verdict.bytes;
      return true;
    }
    const known = this.found.get(key);
    if (known === undefined) this.found.set(key, { kind, checksum, ...verdict, roots: new Set([root]) });
    else known.roots.add(root);
    return false;
  }
}

/** @returns `undefined` when the commit has its own root filesystem, as every layer has */
function findUnstoredRoot(
  repository: string,
  { part, commit: checksum }: VerifiedCommit,
  commit: Commit,
): ImageRoot | undefined {
  if (checksum === undefined || part !== 'image' || hasMergedRoot(repository, commit)) return undefined;
  return readImageRoot(repository, checksum);
}

function describeRefProblem(host: Host, { part, digest, ref, commit }: VerifiedCommit): StoreProblem[] {
  if (commit !== undefined || ref === undefined) return [];
  const isThere = tolerateDamage(() => findRef(host.locations.repository, ref) === undefined) !== true;
  return [
    {
      kind: 'ref',
      name: ref,
      state: isThere ? 'damaged' : 'missing',
      reason: isThere ? 'it names no commit' : 'it is not there',
      paths: [],
      layers: part === 'layer' && digest !== undefined ? [digest] : [],
      isInRoot: part === 'image',
    },
  ];
}

/** Finds the paths of damaged objects in a second walk; only images with problems need it. */
function describeProblems(
  host: Host,
  roots: readonly VerifiedCommit[],
  found: readonly FoundDamage[],
): StoreProblem[] {
  if (found.length === 0) return [];
  const wanted = new Set(found.map(({ kind, checksum }) => formatObjectKey(kind, checksum)));
  const pathsByRoot = new Map(roots.map((root) => [root, findPathsOfRoot(host, root, wanted)]));
  return found.map(({ kind, checksum, state, reason, roots: holders }) => {
    const key = formatObjectKey(kind, checksum);
    const listPaths = (part: VerifiedCommit['part']): string[] =>
      [...holders]
        .filter((root) => root.part === part)
        .flatMap((root) => pathsByRoot.get(root)?.get(key) ?? []);
    const inRoot = listPaths('image');
    return {
      kind,
      name: checksum,
      state,
      reason,
      paths: inRoot.length > 0 ? inRoot : [...new Set(listPaths('layer'))],
      layers: [...holders].flatMap(({ part, digest }) => (part === 'layer' ? (digest ?? []) : [])),
      isInRoot: [...holders].some(({ part }) => part === 'image'),
    };
  });
}

function findPathsOfRoot(
  host: Host,
  { commit }: VerifiedCommit,
  wanted: ReadonlySet<string>,
): ReadonlyMap<string, readonly string[]> {
  if (commit === undefined || wanted.has(formatObjectKey('commit', commit))) return new Map();
  const { repository } = host.locations;
  const root = tolerateDamage(() => readImageRoot(repository, commit));
  return findPaths(root ?? readCommitRoot(repository, readCommit(repository, commit)), wanted);
}
