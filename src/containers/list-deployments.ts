import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { AtomicError } from '../base/errors.ts';
import { findErrno, isErrno, noPath } from '../base/file-error.ts';
import { isNameTaken } from '../host/files/existing-paths.ts';
import type { Host } from '../host/host.ts';
import { formatFullName } from '../image/source-name.ts';
import type { DeploymentRecord } from './container.ts';
import {
  buildContainerPaths,
  buildDeploymentFolder,
  buildDeploymentPaths,
  type DeploymentNumber,
  deploymentNumbers,
} from './deployment.ts';
import { namesImage, parseInfo } from './info-file.ts';
import { findLinkTarget, listContainerNames, originalRuntime } from './read-container.ts';

interface FoundDeployment {
  readonly name: string;
  readonly number: DeploymentNumber;
  readonly folder: string;
  /** Whether the container's symlink names the deployment. */
  readonly isActive: boolean;
}

/** A complete deployment, active or kept for a rollback. */
export interface InstalledDeployment extends FoundDeployment {
  readonly record: DeploymentRecord;
  /** The full name of the image in `record`; an invalid name is there as it is. */
  readonly reference: string;
}

/** A deployment whose image is unknown, because its `info` is missing or damaged. */
export interface UnreadableDeployment extends FoundDeployment {
  readonly isMissing: boolean;
  /** The fault of `info`, such as `it is empty`. */
  readonly reason: string;
}

export interface Deployments {
  readonly installed: readonly InstalledDeployment[];
  readonly unreadable: readonly UnreadableDeployment[];
}

type ReadInfo =
  | Pick<InstalledDeployment, 'record' | 'reference'>
  | { readonly isMissing: boolean; readonly reason: string };

/**
 * Finds all deployments by container and number. Code that removes something that a deployment may need must also check
 * the unreadable ones. A folder without a symlink and without any file of a deployment does not count, with any name.
 * Works without root.
 */
export async function surveyDeployments(host: Host): Promise<Deployments> {
  const installed: InstalledDeployment[] = [];
  const unreadable: UnreadableDeployment[] = [];
  const { checkouts } = host.locations;
  for (const name of await listContainerNames(host)) {
    const active = await findLinkTarget(buildContainerPaths(host.locations, name).link);
    for (const number of deploymentNumbers) {
      const folder = buildDeploymentFolder(host.locations, name, number);
      const isActive = active !== undefined && resolve(checkouts, active) === resolve(folder);
      const found = { name, number, folder, isActive };
      const { info } = buildDeploymentPaths(folder, name);
      let read = await readInfo(host, info);
      // An operation may have created or removed it meanwhile: it is damaged only if it exists and cannot be read.
      if (!('record' in read) && (await isDeployment(found))) {
        read = await readInfo(host, info);
        if (!('record' in read) && (await isDeployment(found))) unreadable.push({ ...found, ...read });
      }
      if ('record' in read) installed.push({ ...found, ...read });
      installed.push(...(await listSetAside(host, name, number)));
    }
  }
  return { installed, unreadable };
}

/**
 * The folders of an update that still need their image: the new deployment, and the one that a failed update restores.
 */
async function listSetAside(
  host: Host,
  name: string,
  number: DeploymentNumber,
): Promise<readonly InstalledDeployment[]> {
  const found: InstalledDeployment[] = [];
  for (const state of ['new', 'previous'] as const) {
    const folder = buildDeploymentFolder(host.locations, name, number, state);
    const read = await readInfo(host, buildDeploymentPaths(folder, name).info);
    if ('record' in read) found.push({ name, number, folder, isActive: false, ...read });
  }
  return found;
}

/** Lists the deployments whose image is known, by container and number. Works without root. */
export async function listDeployments(host: Host): Promise<readonly InstalledDeployment[]> {
  return (await surveyDeployments(host)).installed;
}

/** Lists the folders below `/run` that the install of a container created, from deployments that an uninstall renamed. */
export async function listFoldersOfContainer(host: Host, name: string): Promise<readonly string[]> {
  const folders: string[] = [];
  for (const number of deploymentNumbers) {
    for (const state of ['final', 'old'] as const) {
      const folder = buildDeploymentFolder(host.locations, name, number, state);
      const read = await readInfo(host, buildDeploymentPaths(folder, name).info);
      if ('record' in read) folders.push(...read.record.createdFolders);
    }
  }
  return [...new Set(folders)].sort();
}

async function readInfo(host: Host, info: string): Promise<ReadInfo> {
  try {
    const text = await readFile(info, 'utf8');
    const record = parseInfo(text, info, host.settings.runtime ?? originalRuntime);
    return namesImage(record)
      ? { record, reference: formatFullName(record.image) }
      : { isMissing: false, reason: 'it does not say which image it is' };
  } catch (error) {
    if (isErrno(error, ...noPath)) {
      return { isMissing: true, reason: 'it is not there' };
    }
    if (error instanceof AtomicError) {
      return { isMissing: false, reason: String(error.details?.problem ?? error.message) };
    }
    const code = findErrno(error);
    if (code === undefined) throw error;
    return { isMissing: false, reason: `it cannot be read (${code})` };
  }
}

/** Deployments with a final name are complete: incomplete ones have other names (deployment.ts). */
async function isDeployment({ name, folder, isActive }: FoundDeployment): Promise<boolean> {
  const { rootfs, config, unitCopies, tmpfilesCopy, info } = buildDeploymentPaths(folder, name);
  for (const path of [rootfs, config, ...unitCopies.map((copy) => copy.path), tmpfilesCopy, info]) {
    if (await isNameTaken(path)) return true;
  }
  return isActive && (await isNameTaken(folder));
}
