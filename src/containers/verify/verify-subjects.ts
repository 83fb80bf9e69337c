import type { Host } from '../../host/host.ts';
import { type Checksum, isChecksum } from '../../image/checksum.ts';
import { readCommit } from '../../ostree/object-files.ts';
import { tolerateDamage } from '../../ostree/tolerate-damage.ts';
import {
  buildUnnamedTarget,
  listTargets,
  selectTargets,
  type VerifyTarget,
} from '../../store/verify/verify-targets.ts';
import { isMadeOf } from '../image-users.ts';
import { type InstalledDeployment, listDeployments } from '../list-deployments.ts';

/** An image and its deployments. */
export interface VerifySubject {
  readonly target: VerifyTarget;
  readonly deployments: readonly InstalledDeployment[];
}

/**
 * Lists the subjects of a verification: images with their deployments, then the commits of deployments whose name now
 * belongs to another image.
 *
 * @param written names or beginnings of ids; empty for all
 * @throws AtomicError IMAGE_NOT_FOUND, BAD_REFERENCE
 */
export async function listSubjects(host: Host, written: readonly string[]): Promise<VerifySubject[]> {
  const targets = listTargets(host);
  const chosen = written.length === 0 ? targets : selectTargets(targets, written);
  const deployments = await listDeployments(host);
  const owners = new Map(deployments.map((deployment) => [deployment, findOwner(targets, deployment)]));
  const named = chosen.map((target) => ({
    target,
    deployments: deployments.filter((deployment) => owners.get(deployment) === target),
  }));
  const unnamed = deployments.filter(
    (deployment) =>
      owners.get(deployment) === undefined &&
      (written.length === 0 || chosen.some(({ reference }) => reference === deployment.reference)),
  );
  const commits = new Set(unnamed.map(({ record }) => record.ostreeCommit).filter(isChecksum));
  return [
    ...named,
    ...[...commits].map((commit) => {
      const users = unnamed.filter(({ record }) => record.ostreeCommit === commit);
      const reference = users[0]?.reference ?? commit;
      return { target: buildUnnamedTarget(host, reference, commit), deployments: users };
    }),
  ];
}

/** The commit with which a deployment is compared: its own, or the commit of the image when its own is lost. */
export function findCommitOf(
  host: Host,
  target: VerifyTarget,
  { record }: InstalledDeployment,
): Checksum | undefined {
  const { repository } = host.locations;
  const own = record.ostreeCommit;
  const isReadable = isChecksum(own) && tolerateDamage(() => readCommit(repository, own)) !== undefined;
  if (isReadable) return own;
  return target.image?.id === record.revision ? target.commit : undefined;
}

/** Chooses a name of the image: the one that the deployment records, if possible. */
function findOwner(
  targets: readonly VerifyTarget[],
  deployment: InstalledDeployment,
): VerifyTarget | undefined {
  const owners = targets.filter(({ reference, commit, image }) =>
    isMadeOf(deployment, { reference, commit, id: image?.id }),
  );
  return owners.find(({ reference }) => reference === deployment.reference) ?? owners[0];
}
