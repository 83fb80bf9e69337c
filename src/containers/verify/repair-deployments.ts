/** Repairs the files of containers that were hard links to damaged objects. */

import { readFileSync, statSync } from 'node:fs';
import { parseJson } from '../../base/json-text.ts';
import { writeFileDurably } from '../../host/files/durable-files.ts';
import type { Host } from '../../host/host.ts';
import { type Checksum, isChecksum } from '../../image/checksum.ts';
import { collectFrom, type Repair } from '../../store/verify/repair.ts';
import type { RepairedImage } from '../../store/verify/repair-image.ts';
import type { VerifyTarget } from '../../store/verify/verify-targets.ts';
import { buildDeploymentPaths } from '../deployment.ts';
import type { InstalledDeployment } from '../list-deployments.ts';
import { relinkDeployment } from './relink-deployment.ts';
import { findCommitOf } from './verify-subjects.ts';

/**
 * Restores all files in the deployments of the image. In every other deployment it replaces the files whose objects
 * were replaced, because they shared the damage.
 *
 * @param deployments the deployments whose containers are locked
 * @param isOfImage whether a deployment was made of the image
 * @returns container -> how many paths were replaced
 */
export async function repairDeployments(
  repair: Repair,
  { target, verified, replacements }: Pick<RepairedImage, 'target' | 'verified' | 'replacements'>,
  deployments: readonly InstalledDeployment[],
  isOfImage: (deployment: InstalledDeployment) => boolean,
): Promise<ReadonlyMap<string, number>> {
  const { host, verifier } = repair;
  const replaced = collectFrom(replacements, 'content');
  const discarded = collectFrom(replacements, 'discarded');
  const isWhole = verified.problems.length === 0;
  const counts = new Map<string, number>();
  for (const deployment of deployments) {
    const isOwn = isOfImage(deployment);
    const { ostreeCommit, hasContainerService } = deployment.record;
    const commit = isOwn ? findCommit(host, discarded, target, deployment) : ostreeCommit;
    const isConcerned = hasContainerService && (isOwn || replaced.size > 0);
    if (commit === undefined || !isChecksum(commit) || !isConcerned) continue;
    const count = await relinkDeployment(host, deployment, commit, async ({ expected }) => {
      if (expected.kind !== 'file') return isOwn && isWhole;
      const { checksum } = expected;
      return (isOwn || replaced.has(checksum)) && (await verifier.check('file', checksum)).state === 'sound';
    });
    if (count > 0) counts.set(deployment.name, (counts.get(deployment.name) ?? 0) + count);
    if (isOwn && isWhole && commit !== ostreeCommit) await pointInfoAt(deployment, commit);
  }
  return counts;
}

/** A damaged commit may still be readable; it was replaced by a new commit too. */
function findCommit(
  host: Host,
  discarded: ReadonlySet<string>,
  target: VerifyTarget,
  deployment: InstalledDeployment,
): Checksum | undefined {
  const { ostreeCommit, revision } = deployment.record;
  const isReplaced = isChecksum(ostreeCommit) && discarded.has(ostreeCommit) && target.image?.id === revision;
  return isReplaced ? target.commit : findCommitOf(host, target, deployment);
}

/** Writes a new commit into `info`: the commit there is lost, and the new one has the same tree. */
export async function pointInfoAt({ folder, name }: InstalledDeployment, commit: Checksum): Promise<void> {
  const path = buildDeploymentPaths(folder, name).info;
  const info: unknown = parseJson(readFileSync(path, 'utf8'));
  if (typeof info !== 'object' || info === null) throw new Error(`${path} is no longer an object`);
  const text = `${JSON.stringify({ ...info, 'ostree-commit': commit }, undefined, 4)}\n`;
  await writeFileDurably(path, text, statSync(path).mode & 0o777);
}
