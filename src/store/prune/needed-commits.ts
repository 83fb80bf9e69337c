/**
 * Finds the commits that are needed, and their owners. The commit of an image does not name its layers and its configuration:
 * these have refs of their own (compatibility S-02, S-03), which follow from the manifest.
 */

import { AtomicError } from '../../base/errors.ts';
import { formatArgv } from '../../base/format-argv.ts';
import type { Host } from '../../host/host.ts';
import type { Checksum } from '../../image/checksum.ts';
import { listNamedBlobs, parseRefName, REF_FOLDER } from '../../image/ref-name.ts';
import { listAllRefs, type StoreRef } from '../../ostree/list-refs.ts';
import { readVerifiedCommit } from '../../ostree/reachable-objects.ts';
import { ImageKey } from '../image-commit.ts';

/** A needed commit: of an image, of a deployment, or of a ref that does not belong to this program. */
interface NeededCommit {
  readonly commit: Checksum;
  /** Owner for messages: `image reg/etcd:latest`, `container etcd`, `ref fedora/stable`. */
  readonly owner: string;
  /** Command that removes the owner or repairs the commit, for the hint about a damaged commit. */
  readonly remedy: string;
}

/** The commit of a deployment. */
export interface DeploymentNeed {
  readonly name: string;
  /** Folder of deployments that has it. */
  readonly checkouts: string;
  readonly commit: Checksum;
}

export interface NeededCommits {
  readonly roots: readonly NeededCommit[];
  /** Stored layers and configurations that manifests of the roots name. */
  readonly blobs: readonly NeededCommit[];
  /** Refs of layers and configurations that no root names, sorted. */
  readonly unusedBlobs: readonly string[];
  /** Refs under libostree's temporary names, which a kill has left. */
  readonly unfinished: readonly string[];
  /** Other refs below `ociimage/`, which prune keeps. */
  readonly unknown: readonly string[];
}

const HEADS = 'heads/';
const UNFINISHED = new RegExp(`^${HEADS}${REF_FOLDER}/tmp\\.[A-Za-z0-9]{6}$`);

/**
 * Finds the needed commits of the repository. Refs of other programs are needed: the repository may be that of the host.
 *
 * @param deployments commits in `info` files
 * @throws AtomicError STORE_CORRUPT, naming the image, the container or the ref that cannot be read
 */
export function listNeededCommits(host: Host, deployments: readonly DeploymentNeed[]): NeededCommits {
  const { repository } = host.locations;
  const all = listAllRefs(repository);
  const isFinished = ({ path }: { readonly path: string }): boolean => !UNFINISHED.test(path);
  const refs = all.refs.filter(isFinished);
  const damaged = all.damaged.filter(isFinished);
  for (const ref of damaged) if (findKind(ref) !== 'blob') throw ref.damage;
  const blobRefs = refs.filter((ref) => findKind(ref) === 'blob');
  const roots = [
    ...refs.filter((ref) => findKind(ref) !== 'blob').map((ref) => buildRefRoot(ref, repository)),
    ...deployments.map((need) => buildDeploymentRoot(host, need)),
  ];
  const owners = new Map<string, NeededCommit>();
  for (const root of roots) {
    const named = withOwner(root, () => listBlobRefs(repository, root.commit));
    for (const ref of named) if (!owners.has(ref)) owners.set(ref, root);
  }
  for (const { path, damage } of damaged) {
    const owner = owners.get(path.slice(HEADS.length));
    if (owner === undefined) continue;
    withOwner(owner, () => {
      throw damage;
    });
  }
  return {
    roots,
    blobs: blobRefs.flatMap(({ path, commit }) => {
      const root = owners.get(path.slice(HEADS.length));
      const hex = path.slice(path.lastIndexOf('/') + 1);
      return root === undefined ? [] : [{ ...root, commit, owner: `layer ${hex} of ${root.owner}` }];
    }),
    unusedBlobs: [...blobRefs, ...damaged]
      .map(({ path }) => path.slice(HEADS.length))
      .filter((ref) => !owners.has(ref))
      .sort(),
    unfinished: [...all.refs, ...all.damaged]
      .filter((ref) => !isFinished(ref))
      .map(({ path }) => path.slice(HEADS.length))
      .sort(),
    unknown: refs.filter((ref) => findKind(ref) === 'other').map(({ path }) => path.slice(HEADS.length)),
  };
}

/**
 * Lists the refs that the manifest in a commit's metadata names.
 *
 * @throws AtomicError STORE_CORRUPT
 */
export function listBlobRefs(repository: string, commit: Checksum): readonly string[] {
  const { metadata } = readVerifiedCommit(repository, commit);
  return listNamedBlobs(metadata.get(ImageKey.manifest) ?? '');
}

/** Runs a step that reads the objects of a commit. An error about damage names the owner and the remedy. */
export function withOwner<T>(root: NeededCommit, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof AtomicError) || error.code !== 'STORE_CORRUPT') throw error;
    throw new AtomicError('STORE_CORRUPT', `${root.owner} is damaged: ${error.message}`, {
      hint: `Nothing was freed, because its objects are unknown: ${root.remedy}, and repeat the command.`,
    });
  }
}

function buildDeploymentRoot({ locations }: Host, { name, checkouts, commit }: DeploymentNeed): NeededCommit {
  const isOther = checkouts !== locations.checkouts;
  const prefix = isOther ? `ATOMIC_OSTREE_CHECKOUT_PATH=${formatArgv([checkouts])} ` : '';
  return {
    commit,
    owner: isOther ? `container ${name} in ${checkouts}` : `container ${name}`,
    remedy: `repair it with \`${prefix}atomic images verify --repair\`, or remove the container with \`${prefix}atomic uninstall ${name}\` (install it again afterwards)`,
  };
}

function buildRefRoot({ path, commit }: StoreRef, repository: string): NeededCommit {
  const name = path.startsWith(HEADS) ? path.slice(HEADS.length) : path;
  const parsed = parseOurs(path);
  return parsed?.kind === 'image'
    ? {
        commit,
        owner: `image ${parsed.reference}`,
        remedy: `delete the image with \`${formatArgv(['atomic', 'images', 'delete', '-f', parsed.reference])}\` (pull it again afterwards)`,
      }
    : {
        commit,
        owner: `ref ${name}`,
        remedy: `look at \`${formatArgv(['ostree', 'fsck', `--repo=${repository}`])}\``,
      };
}

function findKind({ path }: Pick<StoreRef, 'path'>): 'image' | 'blob' | 'other' | 'foreign' {
  return parseOurs(path)?.kind ?? 'foreign';
}

function parseOurs(path: string) {
  const folder = `${HEADS}${REF_FOLDER}/`;
  return path.startsWith(folder) ? parseRefName(path.slice(folder.length)) : undefined;
}
