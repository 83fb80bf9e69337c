import { readFile } from 'node:fs/promises';
import type { DeploymentRecord } from '../core/container.ts';
import { AtomicError } from '../core/errors.ts';
import { parseInfo } from '../core/info-file.ts';
import { isErrno } from '../host/file-error.ts';
import type { Host } from '../host/host.ts';
import {
  buildContainerPaths,
  buildDeploymentFolder,
  buildDeploymentPaths,
  type DeploymentNumber,
  deploymentNumbers,
} from './deployment.ts';
import { findLinkTarget, listContainerNames, originalRuntime } from './read-container.ts';

/** One deployment that is whole, active or kept for a rollback. */
export interface InstalledDeployment {
  readonly name: string;
  readonly number: DeploymentNumber;
  readonly folder: string;
  /** The container's symlink names it. */
  readonly isActive: boolean;
  readonly record: DeploymentRecord;
}

/**
 * Lists all deployments by container and number. Those whose `info` cannot be read are left out: nobody knows their
 * image, and `containers list` names them. Works without root.
 */
export async function listDeployments(host: Host): Promise<readonly InstalledDeployment[]> {
  const found: InstalledDeployment[] = [];
  for (const name of await listContainerNames(host)) {
    const active = await findLinkTarget(buildContainerPaths(host.locations, name).link);
    for (const number of deploymentNumbers) {
      const folder = buildDeploymentFolder(host.locations, name, number);
      const record = await findRecord(host, buildDeploymentPaths(folder, name).info);
      if (record !== undefined) found.push({ name, number, folder, isActive: folder === active, record });
    }
  }
  return found;
}

async function findRecord(host: Host, info: string): Promise<DeploymentRecord | undefined> {
  try {
    return parseInfo(await readFile(info, 'utf8'), info, host.settings.runtime ?? originalRuntime);
  } catch (error) {
    const isDamaged = error instanceof AtomicError || isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR');
    if (isDamaged) return undefined;
    throw error;
  }
}
