import { existsSync, lstatSync } from 'node:fs';
import { formatFileIdentity } from '../../host/files/existing-paths.ts';
import type { Host } from '../../host/host.ts';
import type {
  DeploymentProblem,
  UnreadableContainer,
  VerifiedDeployment,
  VerifiedImage,
} from '../../image/verified-image.ts';
import { withRepository } from '../../ostree/repository.ts';
import { withReadableStore } from '../../store/access/store-lock.ts';
import { ObjectVerifier } from '../../store/verify/object-verifier.ts';
import { type VerifiedContent, verifyImage } from '../../store/verify/verify-image.ts';
import type { VerifyTarget } from '../../store/verify/verify-targets.ts';
import { buildDeploymentPaths } from '../deployment.ts';
import { type InstalledDeployment, surveyDeployments } from '../list-deployments.ts';
import { describeUnreadable } from '../unreadable-deployments.ts';
import { checkDeployment } from './check-deployment.ts';
import { findCommitOf, listSubjects } from './verify-subjects.ts';

const NOTHING_COMPARED = { files: 0, links: new Set<string>() } as const;

/** The results of a verification, and the data that it has read, so that a repair does not read them again. */
interface Verification {
  readonly images: readonly VerifiedImage[];
  /** All of them, for any requested images: their images are unknown. */
  readonly unreadable: readonly UnreadableContainer[];
  /** Undefined when there is no store. */
  readonly verifier: ObjectVerifier | undefined;
}

/**
 * Verifies images and their deployments. Changes nothing; damage is a result.
 *
 * @param written names or beginnings of ids; empty for all
 * @throws AtomicError IMAGE_NOT_FOUND, BAD_REFERENCE, TOOL_MISSING, INTERRUPTED
 */
export async function verifyImages(host: Host, written: readonly string[]): Promise<Verification> {
  const unreadable = await describeUnreadable(host, (await surveyDeployments(host)).unreadable);
  // A verification must not create a store.
  if (!existsSync(`${host.locations.repository}/config`)) {
    await listSubjects(host, written);
    return { images: [], unreadable, verifier: undefined };
  }
  return withReadableStore(host, () =>
    withRepository(host, async (repo) => {
      const verifier = new ObjectVerifier(host, repo);
      const images: VerifiedImage[] = [];
      for (const { target, deployments } of await listSubjects(host, written)) {
        const content = await verifyImage(host, verifier, target);
        images.push(await withDeployments(host, content, target, deployments));
      }
      return { images, unreadable, verifier };
    }),
  );
}

/** Adds the findings about the deployments of an image. */
export async function withDeployments(
  host: Host,
  content: VerifiedContent,
  target: VerifyTarget,
  deployments: readonly InstalledDeployment[],
): Promise<VerifiedImage> {
  const damaged = content.problems.filter(({ kind, state }) => kind === 'file' && state === 'damaged');
  const objects = new Set(damaged.map(({ name }) => name));
  return { ...content, deployments: await verifyDeployments(host, target, deployments, objects) };
}

/**
 * Verifies the files of deployments of one image. A deployment that is uninstalled meanwhile, which needs no lock of
 * the store, is left out.
 */
async function verifyDeployments(
  host: Host,
  target: VerifyTarget,
  deployments: readonly InstalledDeployment[],
  damagedObjects: ReadonlySet<string>,
): Promise<VerifiedDeployment[]> {
  const verified: VerifiedDeployment[] = [];
  for (const deployment of deployments) {
    const { name, number, folder, record } = deployment;
    const identity = readIdentity(folder);
    const commit = findCommitOf(host, target, deployment);
    const problems: DeploymentProblem[] = [];
    const hasRoot = record.hasContainerService && commit !== undefined;
    if (hasRoot) host.report({ kind: 'step', text: `Verifying the files of ${name}` });
    const { files, links } = hasRoot
      ? await checkDeployment(
          host,
          buildDeploymentPaths(folder, name).rootfs,
          commit,
          ({ path, state, reason }) => {
            if (state !== 'copied') problems.push({ path, state, reason });
          },
        )
      : NOTHING_COMPARED;
    if (hasRoot && commit !== record.ostreeCommit) {
      problems.push({ path: 'info', state: 'changed', reason: 'it names a commit that is not in the store' });
    }
    if (problems.length > 0 && (identity === undefined || readIdentity(folder) !== identity)) continue;
    const damagedLinks = [...damagedObjects].filter((checksum) => links.has(checksum));
    verified.push({ container: name, number, files, problems, damagedLinks });
  }
  return verified;
}

/** @returns what changes when the folder is moved away, or another one takes its place; `undefined` without one */
function readIdentity(folder: string): string | undefined {
  const stats = lstatSync(folder, { throwIfNoEntry: false });
  return stats === undefined ? undefined : `${formatFileIdentity(stats)} ${stats.ctimeMs}`;
}
