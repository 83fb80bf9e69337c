/**
 * Repairs images and their deployments: first the objects of the store, then changed files of deployments, by hard
 * links to the objects.
 *
 * Locks: the locks of the containers, in the order of their names, then the lock of the store, exclusively; an install
 * takes them in the same order. After a crash at any point the same command finishes the work: the store has additional
 * sound objects, and files that are not linked yet are found as differences.
 */

import { existsSync, readdirSync } from 'node:fs';
import { basename } from 'node:path';
import { syncFilesystemOf } from '../../host/files/durable-files.ts';
import type { Host } from '../../host/host.ts';
import { type Digest, findDigestOf } from '../../image/digest.ts';
import type { SourceOptions } from '../../image/image.ts';
import {
  type ImageRepair,
  isSound,
  type StaleMount,
  type UnreadableContainer,
  type VerifiedImage,
} from '../../image/verified-image.ts';
import { withRepository } from '../../ostree/repository.ts';
import { withExclusiveStore } from '../../store/access/store-lock.ts';
import { listMountsOf } from '../../store/mount/mount-folder.ts';
import { listMountsShowing } from '../../store/mount/stale-mounts.ts';
import { ObjectVerifier } from '../../store/verify/object-verifier.ts';
import { collectFrom, type Repair, type Replacement } from '../../store/verify/repair.ts';
import { type RepairedImage, removeDiscardedCommits, repairImage } from '../../store/verify/repair-image.ts';
import {
  hasRepairScratch,
  removeRepairScratch,
  withRepairScratch,
} from '../../store/verify/repair-scratch.ts';
import { withContainerLock } from '../container-lock.ts';
import { listDeployments } from '../list-deployments.ts';
import { recoverContainer } from '../recovery/recover.ts';
import { findDonors } from './find-donors.ts';
import { removeTemporary } from './relink-deployment.ts';
import { repairDeployments } from './repair-deployments.ts';
import { verifyImages, withDeployments } from './verify-images.ts';
import { listSubjects, type VerifySubject } from './verify-subjects.ts';

interface RepairedImages {
  readonly repairs: readonly ImageRepair[];
  /** The images as they were found; the store does not have their lost objects. */
  readonly unreadable: readonly UnreadableContainer[];
  readonly staleMounts: readonly StaleMount[];
}

/**
 * Verifies images, and repairs those that are damaged. Damage that cannot be repaired is a result, and does not grow.
 *
 * @param written as for `verifyImages`
 * @throws what `verifyImages` throws; NO_SPACE, READ_ONLY, STORE_FAILED
 */
export async function repairImages(
  host: Host,
  written: readonly string[],
  options: SourceOptions,
): Promise<RepairedImages> {
  const { images: found, unreadable, verifier: earlier } = await verifyImages(host, written);
  const damaged = found.filter((image) => !isSound(image));
  if (damaged.length === 0) {
    await removeLeftovers(host);
    return { repairs: found.map((image) => buildUntouched(image)), unreadable, staleMounts: [] };
  }
  // Files are shared between images: any container may have a link to a damaged object.
  const { repairs, staleMounts } = await withAllContainers(host, () =>
    repairDamaged(host, damaged, { earlier, options }),
  );
  return {
    repairs: found.map((image) => repairs.get(image) ?? buildUntouched(image)),
    unreadable,
    staleMounts,
  };
}

/**
 * With the lock of the store, no container can be installed; containers that were installed before that are locked too.
 */
async function withAllContainers<T>(host: Host, action: () => Promise<T>): Promise<T> {
  for (;;) {
    const names = await listContainers(host);
    const result = await withContainerLocks(host, names, () =>
      withExclusiveStore(host, async () => {
        const current = await listContainers(host);
        return current.every((name) => names.includes(name)) ? { value: await action() } : undefined;
      }),
    );
    if (result !== undefined) return result.value;
  }
}

async function listContainers(host: Host): Promise<readonly string[]> {
  return [...new Set((await listDeployments(host)).map(({ name }) => name))].sort();
}

async function withContainerLocks<T>(
  host: Host,
  names: readonly string[],
  action: () => Promise<T>,
): Promise<T> {
  const [name, ...others] = names;
  if (name === undefined) return action();
  return withContainerLock(host, name, 'images verify --repair', async () => {
    await recoverContainer(host, name);
    return withContainerLocks(host, others, action);
  });
}

interface RepairConditions {
  /** What found the damage. */
  readonly earlier: ObjectVerifier | undefined;
  readonly options: SourceOptions;
}

interface Repaired {
  readonly repairs: ReadonlyMap<VerifiedImage, ImageRepair>;
  readonly staleMounts: readonly StaleMount[];
}

/** The caller holds the locks of the store and of all containers. */
async function repairDamaged(
  host: Host,
  damaged: readonly VerifiedImage[],
  { earlier, options }: RepairConditions,
): Promise<Repaired> {
  await removeFixes(host);
  return withRepository(host, (repo) =>
    withRepairScratch(host, async (scratch) => {
      const repair: Repair = {
        host,
        repo,
        scratch,
        options,
        verifier: new ObjectVerifier(host, repo, earlier),
        findDonors: async (checksums) => findDonors(host, await listDeployments(host), checksums),
      };
      const subjects = await listSubjects(host, []);
      const repairs = new Map<VerifiedImage, ImageRepair>();
      let replacements: readonly Replacement[] = [];
      for (const before of damaged) {
        const subject = findSame(subjects, before);
        if (subject === undefined) continue;
        host.report({ kind: 'step', text: `Repairing ${before.reference}` });
        const repaired = await repairImage(repair, subject.target, findDigest(subject));
        // Images share objects, so the deployments of one may need an object that was replaced for another.
        replacements = [...replacements, ...repaired.replacements];
        repairs.set(before, await repairContainers(repair, subject, { before, repaired, replacements }));
      }
      await removeDiscardedCommits(repair, collectFrom(replacements, 'discarded'));
      await syncFilesystemOf(host.locations.repository);
      return { repairs, staleMounts: await listStaleMounts(host, replacements, [...repairs.values()]) };
    }),
  );
}

interface RepairedContent {
  readonly before: VerifiedImage;
  readonly repaired: RepairedImage;
  /** All replacements up to now, also for other images. */
  readonly replacements: readonly Replacement[];
}

/** Puts the repaired files into the containers. */
async function repairContainers(
  repair: Repair,
  subject: VerifySubject,
  { before, repaired, replacements }: RepairedContent,
): Promise<ImageRepair> {
  const { host } = repair;
  // Objects are on the disk before a file of a deployment is replaced.
  await syncFilesystemOf(host.locations.repository);
  const deployments = await listDeployments(host);
  const own = new Set(subject.deployments.map(({ folder }) => folder));
  const replacedFiles = await repairDeployments(repair, { ...repaired, replacements }, deployments, (each) =>
    own.has(each.folder),
  );
  const { target, verified, fetchedLayers, takenFromDeployments, failure } = repaired;
  const current = (await listDeployments(host)).filter(({ folder }) => own.has(folder));
  const after = await withDeployments(host, verified, target, current);
  return { before, after, fetchedLayers, takenFromDeployments, replacedFiles, failure };
}

/**
 * Mounts of images, which have their own links to damaged objects, and mounts of containers whose files have changed.
 */
async function listStaleMounts(
  host: Host,
  replacements: readonly Replacement[],
  repairs: readonly ImageRepair[],
): Promise<StaleMount[]> {
  const stale = [...(await listMountsShowing(host, collectFrom(replacements, 'givenUp')))];
  const changed = new Set(repairs.flatMap(({ replacedFiles }) => [...replacedFiles.keys()]));
  for (const { name, folder } of await listDeployments(host)) {
    if (!changed.has(name)) continue;
    const directories = await listMountsOf(host, folder);
    stale.push(...directories.map((directory) => ({ name: basename(folder), directory })));
  }
  return stale;
}

/**
 * Finds the digest of an image in the records of containers: first those of the same commit, then active deployments.
 */
function findDigest({ target, deployments }: VerifySubject): Digest | undefined {
  const known = deployments.filter(({ record }) => findDigestOf(record.revision) !== undefined);
  const best =
    known.find(({ record }) => record.ostreeCommit === target.commit) ??
    known.find(({ isActive }) => isActive) ??
    known[0];
  return best === undefined ? undefined : findDigestOf(best.record.revision);
}

/** Several commits may have one name: the commit of the ref, and commits of deployments. */
function findSame(
  subjects: readonly VerifySubject[],
  { reference, id, deployments }: VerifiedImage,
): VerifySubject | undefined {
  const same = subjects.filter(({ target }) => target.reference === reference && target.image?.id === id);
  const shared = same.find((subject) =>
    subject.deployments.some(({ name, number }) =>
      deployments.some((found) => found.container === name && found.number === number),
    ),
  );
  return shared ?? same.find(({ target }) => target.ref !== undefined);
}

function buildUntouched(image: VerifiedImage): ImageRepair {
  return {
    before: image,
    after: image,
    fetchedLayers: [],
    takenFromDeployments: 0,
    replacedFiles: new Map(),
    failure: isSound(image) ? undefined : 'it changed meanwhile; repeat the command',
  };
}

/** Removes the leftovers of a killed repair when there is nothing else to repair. */
async function removeLeftovers(host: Host): Promise<void> {
  if (!existsSync(`${host.locations.repository}/config`)) return;
  if (listFixes(host).length === 0 && !hasRepairScratch(host)) return;
  await withExclusiveStore(host, async () => {
    await removeRepairScratch(host);
    await removeFixes(host);
  });
}

async function removeFixes(host: Host): Promise<void> {
  for (const path of listFixes(host)) await removeTemporary(path);
}

/** Names of `buildDeploymentFolder` in the state `fix`. */
function listFixes(host: Host): string[] {
  const { checkouts } = host.locations;
  if (!existsSync(checkouts)) return [];
  return readdirSync(checkouts)
    .filter((name) => /^\..+\.[01]\.fix$/.test(name))
    .map((name) => `${checkouts}/${name}`);
}
