/** The documents of `images verify --json`. */
import {
  type ImageRepair,
  isSound,
  type RemoteStatus,
  type UnreadableContainer,
  type VerifiedDeployment,
  type VerifiedImage,
} from '../../image/verified-image.ts';

export function buildVerifiedJson(image: VerifiedImage): object {
  const { reference, id, objects, bytes, problems, deployments } = image;
  return {
    reference,
    id: id ?? null,
    sound: isSound(image),
    objects,
    bytes,
    problems: problems.map(({ kind, name, state, reason, paths, layers, isInRoot }) => ({
      kind,
      name,
      state,
      reason,
      paths,
      layers,
      in_root: isInRoot,
    })),
    deployments: deployments.map(buildDeploymentJson),
  };
}

/** Builds a member of `unreadable_containers`. */
export function buildUnreadableJson(container: UnreadableContainer): object {
  return { ...buildDeploymentJson(container), remedy: container.remedy };
}

function buildDeploymentJson({
  container,
  number,
  files,
  problems,
  damagedLinks,
}: VerifiedDeployment): object {
  return {
    container,
    deployment: number,
    files,
    problems: problems.map(({ path, state, reason }) => ({ path, state, reason })),
    damaged_links: damagedLinks,
  };
}

/** Builds the image as it is after the repair; `found` holds the problems before it. */
export function buildRepairJson(repair: ImageRepair): object {
  const { before, after, fetchedLayers, takenFromDeployments, replacedFiles, failure } = repair;
  return {
    ...buildVerifiedJson(after),
    repair: isSound(before)
      ? null
      : {
          found: buildVerifiedJson(before),
          fetched_layers: fetchedLayers,
          taken_from_deployments: takenFromDeployments,
          replaced_files: Object.fromEntries(replacedFiles),
          failure: failure ?? null,
        },
  };
}

export function buildRemoteJson(status: RemoteStatus): object {
  return {
    status: status.kind,
    digest: status.kind === 'newer' ? status.digest : null,
    reason: status.kind === 'unknown' ? status.reason : null,
  };
}
