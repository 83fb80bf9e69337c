/** The results of `images verify`. */

import type { Checksum } from './checksum.ts';
import type { Digest } from './digest.ts';

export type ObjectKind = 'commit' | 'dirtree' | 'dirmeta' | 'file';

/** A ref or object of an image that is missing in the store or has changed. */
export type StoreProblem = ProblemFacts &
  (
    | {
        readonly kind: 'ref';
        /** Such as `ociimage/...`. */
        readonly name: string;
      }
    | { readonly kind: ObjectKind; readonly name: Checksum }
  );

interface ProblemFacts {
  readonly state: 'missing' | 'damaged';
  readonly reason: string;
  /**
   * Absolute paths of the file or folder in the root filesystem of the image, sorted. When upper layers hide it, its
   * paths in the layers. Empty for refs and commits, and for objects of the configuration.
   */
  readonly paths: readonly string[];
  /** Digests of the layers that contain it, base first. Empty when only the merged image contains it. */
  readonly layers: readonly string[];
  /**
   * Whether the root filesystem of the image needs it. Objects that neither it nor a layer needs belong to the
   * configuration.
   */
  readonly isInRoot: boolean;
}

/** A path of a deployment that differs from the image. */
export interface DeploymentProblem {
  /** The absolute path in the root filesystem; `info` for the file beside it. */
  readonly path: string;
  /** `additional` is not damage: it is reported and stays. */
  readonly state: 'changed' | 'missing' | 'additional';
  readonly reason: string;
}

export interface VerifiedDeployment {
  readonly container: string;
  readonly number: number;
  /** How many files and symlinks were compared. */
  readonly files: number;
  readonly problems: readonly DeploymentProblem[];
  /** Checksums of damaged objects that the deployment has hard links of: its files have the same damage. */
  readonly damagedLinks: readonly string[];
}

/** A deployment whose image is unknown, because its `info` cannot be read. */
export interface UnreadableContainer extends VerifiedDeployment {
  /** The remedy, as a part of a sentence: `run atomic recover`. */
  readonly remedy: string;
}

export interface VerifiedImage {
  readonly reference: string;
  /** Hex of the manifest digest; `undefined` when the image's commit cannot be read. */
  readonly id: string | undefined;
  /** How many objects were read, each once. */
  readonly objects: number;
  /** The bytes of those objects on the disk. */
  readonly bytes: number;
  readonly problems: readonly StoreProblem[];
  readonly deployments: readonly VerifiedDeployment[];
}

/** The result of `--repair` for one image. */
export interface ImageRepair {
  /** The findings before the repair. */
  readonly before: VerifiedImage;
  /** The findings after the repair. */
  readonly after: VerifiedImage;
  /** Digests of the layers that were fetched again. */
  readonly fetchedLayers: readonly Digest[];
  /** How many objects were taken from deployments. */
  readonly takenFromDeployments: number;
  /**
   * Containers whose files were replaced, with the number of paths. A running service has the old files open until it is
   * restarted.
   */
  readonly replacedFiles: ReadonlyMap<string, number>;
  /** Why a part could not be repaired; `undefined` when the repair is complete. */
  readonly failure: string | undefined;
}

/** A mount of `atomic mount` that may still show files that a repair has replaced. */
export interface StaleMount {
  /** The name of the mounted image or container. */
  readonly name: string;
  readonly directory: string;
}

/** The answer of the registry for the name of an image. */
export type RemoteStatus =
  | { readonly kind: 'up-to-date' }
  | { readonly kind: 'newer'; readonly digest: Digest }
  | { readonly kind: 'gone' }
  | { readonly kind: 'not-from-registry' }
  | { readonly kind: 'unknown'; readonly reason: string };

/** Whether the image and its deployments are complete and undamaged. */
export function isSound({ problems, deployments }: VerifiedImage): boolean {
  return problems.length === 0 && deployments.every((deployment) => listDamage(deployment).length === 0);
}

/** Whether a deployment has the damaged file, or cannot be compared because the store has lost an object. */
export function isConcernedBy({ damagedLinks }: VerifiedDeployment, problem: StoreProblem): boolean {
  return problem.isInRoot && (problem.kind !== 'file' || damagedLinks.includes(problem.name));
}

/** Lists the problems of a deployment that are damage. */
export function listDamage({ problems }: VerifiedDeployment): readonly DeploymentProblem[] {
  return problems.filter(({ state }) => state !== 'additional');
}
