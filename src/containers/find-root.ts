/** Finds the root filesystem of a container, of one of its deployments, or of an image by its name. */

import { AtomicError } from '../base/errors.ts';
import { toPrintable } from '../base/printable.ts';
import type { Host } from '../host/host.ts';
import type { Checksum } from '../image/checksum.ts';
import { formatProposal, proposeImages } from '../image/propose-images.ts';
import { listStoredNames, readImage } from '../store/find-image.ts';
import type { RecordedCommit } from './container.ts';
import { type InstalledDeployment, listDeployments } from './list-deployments.ts';
import { listContainerNames } from './read-container.ts';

/** A root filesystem, with its image or deployment. */
export type NamedRoot =
  | {
      readonly kind: 'container';
      readonly name: string;
      readonly deployment: InstalledDeployment;
      /** The id of the image that the deployment was installed from. */
      readonly id: string;
      readonly commit: RecordedCommit;
    }
  | { readonly kind: 'image'; readonly name: string; readonly id: string; readonly commit: Checksum };

/**
 * Finds the object of a name: a container (its active deployment), `CONTAINER.0` or `CONTAINER.1`, an image by its name
 * or by the beginning of its id, in this order (compatibility W-01: a container comes first). The name with a tag names
 * the image.
 *
 * @throws AtomicError IMAGE_NOT_FOUND, CONTAINER_DAMAGED, BAD_REFERENCE, STORE_CORRUPT
 */
export async function readRoot(host: Host, written: string): Promise<NamedRoot> {
  const deployment = await findDeployment(host, written);
  if (deployment !== undefined) return nameDeployment(deployment);
  const { reference, id, commit } = await readNamedImage(host, written);
  return { kind: 'image', name: reference, id, commit };
}

export function nameDeployment(deployment: InstalledDeployment): NamedRoot {
  const { name, record } = deployment;
  return { kind: 'container', name, deployment, id: record.revision, commit: record.ostreeCommit };
}

async function findDeployment(host: Host, written: string): Promise<InstalledDeployment | undefined> {
  const found = (await lookForDeployment(host, written)) ?? (await lookForDeployment(host, written));
  if (found !== undefined) return found.deployment;
  throw new AtomicError('CONTAINER_DAMAGED', `reading the container ${toPrintable(written)}: it is damaged`, {
    hint: '`atomic containers list -a` shows the reason.',
  });
}

/** @returns `undefined` when the container has no active deployment: it is damaged, or an uninstall is removing it */
async function lookForDeployment(
  host: Host,
  written: string,
): Promise<{ readonly deployment: InstalledDeployment | undefined } | undefined> {
  const names = await listContainerNames(host);
  const deployments = await listDeployments(host);
  if (!names.includes(written)) {
    return { deployment: deployments.find(({ name, number }) => `${name}.${number}` === written) };
  }
  const deployment = deployments.find(({ name, isActive }) => name === written && isActive);
  return deployment === undefined ? undefined : { deployment };
}

async function readNamedImage(host: Host, written: string): ReturnType<typeof readImage> {
  try {
    return await readImage(host, written);
  } catch (error) {
    if (!(error instanceof AtomicError) || error.code !== 'IMAGE_NOT_FOUND') throw error;
    const known = [...(await listContainerNames(host)), ...listStoredNames(host.locations.repository)];
    const similar = proposeImages(written, known);
    throw new AtomicError('IMAGE_NOT_FOUND', `Could not find any image matching '${toPrintable(written)}'`, {
      hint:
        formatProposal(similar) ??
        'List the images and the containers: atomic images list, atomic containers list -a',
      details: { image: written, similar },
    });
  }
}
