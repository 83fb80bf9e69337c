/** The differences between a container and what its deployments record. */
import type { StaleMount } from '../../image/verified-image.ts';
import type { DeploymentNumber } from '../deployment.ts';

/** The part of a container that differs. `file` and `files` are in the root filesystem. */
type DriftPart =
  | 'container'
  | 'symlink'
  | 'info'
  | 'config'
  | 'unit'
  | 'tmpfiles'
  | 'service'
  | 'drop-in'
  | 'host file'
  | 'folder'
  | 'volume'
  | 'runtime'
  | 'secret'
  | 'patch'
  | 'image'
  | 'file'
  | 'files'
  | 'operation';

export interface Drift {
  readonly part: DriftPart;
  /** Absolute; of an image, its name. */
  readonly path: string;
  readonly state:
    | 'missing'
    | 'edited'
    | 'replaced'
    | 'changed'
    | 'masked'
    | 'disabled'
    | 'added'
    | 'copied'
    | 'unreadable'
    | 'interrupted';
  /** A part of a sentence. */
  readonly reason: string;
  /** Whether it is only shown: a person may do it, or it does no harm. */
  readonly isTolerated: boolean;
  /** The deployment that has the path; undefined outside deployments. */
  readonly deployment?: DeploymentNumber;
}

export interface ContainerDrift {
  readonly name: string;
  readonly drifts: readonly Drift[];
}

/** The result of `--repair` for one container. */
export interface DriftRepair {
  readonly name: string;
  readonly before: readonly Drift[];
  /** What is left. */
  readonly after: readonly Drift[];
  /** Why the repair ended early. */
  readonly failure: string | undefined;
  readonly staleMounts: readonly StaleMount[];
}

export function isFault({ isTolerated }: Drift): boolean {
  return !isTolerated;
}

/** Whether a repair with the name of the container can end it. */
export function isRepairable({ part, state }: Drift): boolean {
  if (['container', 'image', 'runtime', 'secret'].includes(part)) return false;
  if (state === 'replaced' || state === 'unreadable') return false;
  return !(part === 'info' && state === 'missing') && !(part === 'symlink' && state === 'changed');
}

/** Lists what a repair has ended. */
export function listRepaired({ before, after }: DriftRepair): readonly Drift[] {
  const isSame = (first: Drift) => (second: Drift) =>
    first.part === second.part && first.path === second.path && first.state === second.state;
  return before.filter((drift) => !after.some(isSame(drift)));
}
