/** What `images verify` finds. */

export type ObjectKind = 'commit' | 'dirtree' | 'dirmeta' | 'file';

/** Something of an image that the store does not have any more as it was stored. */
export interface StoreProblem {
  readonly kind: 'ref' | ObjectKind;
  /** Name of the ref such as `ociimage/...`, or checksum of the object, 64 hex digits. */
  readonly name: string;
  readonly state: 'missing' | 'damaged';
  readonly reason: string;
  /**
   * Absolute paths of the file or folder in the root filesystem of the image, sorted; in its layers when upper layers
   * hide it. Empty for refs and commits, and for what belongs to the configuration.
   */
  readonly paths: readonly string[];
  /** Digests of the layers that it comes from, base first. Empty when only the image itself has it. */
  readonly layers: readonly string[];
  /** Whether the image itself needs it. What neither it nor a layer needs belongs to the configuration. */
  readonly isInRoot: boolean;
}

/** A path of a deployment that is not what the image says. */
export interface DeploymentProblem {
  /** Absolute in the root filesystem; `info` for the file beside it. */
  readonly path: string;
  /** `additional` harms nothing of the image; it is reported and left alone. */
  readonly state: 'changed' | 'missing' | 'additional';
  readonly reason: string;
}

export interface VerifiedDeployment {
  readonly container: string;
  readonly number: number;
  /** Files and symlinks that were compared. */
  readonly files: number;
  readonly problems: readonly DeploymentProblem[];
  /** Checksums of damaged objects of which it has the very file: it is as damaged as they are. */
  readonly damagedLinks: readonly string[];
}

/** A deployment that belongs to no image here, because nobody can read from which one it was made. */
export interface UnreadableContainer extends VerifiedDeployment {
  /** What a person can do about it, as a part of a sentence. */
  readonly remedy: string;
}

export interface VerifiedImage {
  readonly reference: string;
  /** Hex of the manifest digest; `undefined` when the image's commit cannot be read. */
  readonly id: string | undefined;
  /** Objects that were read, each once, and their bytes on the disk. */
  readonly objects: number;
  readonly bytes: number;
  readonly problems: readonly StoreProblem[];
  readonly deployments: readonly VerifiedDeployment[];
}

/** What `--repair` did for one image. */
export interface ImageRepair {
  /** As it was found before. */
  readonly before: VerifiedImage;
  /** As it is now. */
  readonly after: VerifiedImage;
  /** Layers that came over the wire again. */
  readonly fetchedLayers: readonly string[];
  /** Objects that deployments still had. */
  readonly takenFromDeployments: number;
  /** Containers whose files were replaced; what runs has the old ones open until it is restarted. */
  readonly replacedFiles: ReadonlyMap<string, number>;
  /** Why something could not be repaired; `undefined` when all was. */
  readonly failure: string | undefined;
}

/** A mount of `atomic mount` that may still show files which a repair has replaced. */
export interface StaleMount {
  /** What is mounted, as a person calls it. */
  readonly name: string;
  readonly directory: string;
}

/** What the registry says of an image's name. */
export type RemoteStatus =
  | { readonly kind: 'up-to-date' }
  | { readonly kind: 'newer'; readonly digest: string }
  | { readonly kind: 'gone' }
  | { readonly kind: 'not-from-registry' }
  | { readonly kind: 'unknown'; readonly reason: string };

/** Whether nothing of the image and of its deployments is damaged or missing. */
export function isSound({ problems, deployments }: VerifiedImage): boolean {
  return problems.length === 0 && deployments.every((deployment) => listDamage(deployment).length === 0);
}

/** Whether a deployment has the damaged file, or cannot be compared because of what the store has lost. */
export function isConcernedBy({ damagedLinks }: VerifiedDeployment, problem: StoreProblem): boolean {
  return problem.isInRoot && (problem.kind !== 'file' || damagedLinks.includes(problem.name));
}

/** The problems of a deployment that are damage. */
export function listDamage({ problems }: VerifiedDeployment): readonly DeploymentProblem[] {
  return problems.filter(({ state }) => state !== 'additional');
}
