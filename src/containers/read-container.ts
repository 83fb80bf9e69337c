import { readFileSync, readlinkSync } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { AtomicError } from '../base/errors.ts';
import { isErrno, tolerateMissing, tolerateMissingAsync, withFileErrors } from '../base/file-error.ts';
import { listFolder } from '../host/files/find-file.ts';
import type { Host } from '../host/host.ts';
import type { DeploymentRecord } from './container.ts';
import {
  buildContainerPaths,
  buildDeploymentFolder,
  buildDeploymentPaths,
  deploymentNumbers,
} from './deployment.ts';
import { parseInfo } from './info-file.ts';

/** The state of a container name on the disk. */
export type ContainerState =
  | { readonly kind: 'absent' }
  | { readonly kind: 'installed'; readonly record: DeploymentRecord }
  /** Only a part of a container exists, for example after a crash of the original; `reason` is for a person. */
  | { readonly kind: 'damaged'; readonly reason: string };

/** The runtime of a container whose `info` names none (compatibility O-11). */
export const originalRuntime = '/usr/bin/runc';

/** Reads the state of one container; damage is a result, not an error. */
export async function readContainer(host: Host, name: string): Promise<ContainerState> {
  const { link } = buildContainerPaths(host.locations, name);
  const target = await findLinkTarget(link);
  if (target === undefined) return describeOrphan(host, name);
  const { info } = buildDeploymentPaths(link, name);
  try {
    const runtime = host.settings.runtime ?? originalRuntime;
    return { kind: 'installed', record: parseInfo(readFileSync(info, 'utf8'), info, runtime) };
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return { kind: 'damaged', reason: `there is no ${target}/info` };
    if (error instanceof AtomicError) return { kind: 'damaged', reason: error.message };
    if (error instanceof Error && 'code' in error) {
      return { kind: 'damaged', reason: `${target}/info cannot be read (${String(error.code)})` };
    }
    throw error;
  }
}

/**
 * Lists the names of all containers in CHECKOUTS and of their remains, sorted. `x.0` is a deployment when `x` is a
 * symlink (compatibility O-10); otherwise it is the remains of `x`.
 */
export async function listContainerNames(host: Host): Promise<readonly string[]> {
  const { checkouts } = host.locations;
  const entries = await listFolder(checkouts);
  const visible = entries.filter((entry) => !entry.name.startsWith('.'));
  const links = visible.filter((entry) => entry.isSymbolicLink()).map((entry) => entry.name);
  const deployments = visible
    .filter((entry) => entry.isDirectory() && /.\.[01]$/.test(entry.name))
    .map((entry) => entry.name.slice(0, -2));
  return [...new Set([...links, ...deployments])].sort();
}

/** @returns the target of a symlink, unchanged; `undefined` when there is no symlink of that name */
export async function findLinkTarget(link: string): Promise<string | undefined> {
  // EINVAL: not a symlink.
  return tolerateMissing(() => readlinkSync(link), ['ENOENT', 'EINVAL']);
}

/** Whether the path is a folder; a symlink to a folder does not count. */
export async function isFolder(path: string): Promise<boolean> {
  return (await tolerateMissingAsync(async () => (await lstat(path)).isDirectory())) ?? false;
}

async function describeOrphan(host: Host, name: string): Promise<ContainerState> {
  for (const number of deploymentNumbers) {
    const folder = buildDeploymentFolder(host.locations, name, number);
    if (await isFolder(folder)) {
      return { kind: 'damaged', reason: `there is ${folder}, but no symlink ${name} that names it` };
    }
  }
  return { kind: 'absent' };
}

/**
 * Reads the record of a deployment, active or not.
 *
 * @returns undefined when there is no such deployment
 * @throws CONTAINER_DAMAGED when its `info` cannot be read
 */
export async function readDeployment(
  host: Host,
  folder: string,
  name: string,
): Promise<DeploymentRecord | undefined> {
  const { info } = buildDeploymentPaths(folder, name);
  return withFileErrors(`read ${info}`, async () => {
    const text = tolerateMissing(() => readInfoText(info));
    return text === undefined ? undefined : parseInfo(text, info, host.settings.runtime ?? originalRuntime);
  });
}

/** A folder or a loop of symlinks is damage of the container; other failures are those of the disk. */
function readInfoText(info: string): string {
  try {
    return readFileSync(info, 'utf8');
  } catch (error) {
    if (!isErrno(error, 'EISDIR') && !isErrno(error, 'ELOOP')) throw error;
    throw new AtomicError('CONTAINER_DAMAGED', `Cannot read ${info}: it is not a file`, {
      hint: 'Uninstall the container and install it again; its image and its data stay.',
      details: { path: info, problem: 'it is not a file' },
    });
  }
}

/** The largest number of names in the hint. */
const maxNamesInHint = 10;

/** Builds the error for a name without a container. */
export async function buildContainerNotFound(host: Host, name: string): Promise<AtomicError> {
  const names = await listContainerNames(host);
  const shown = names.slice(0, maxNamesInHint).join(', ');
  const more = names.length > maxNamesInHint ? ', ...' : '';
  return new AtomicError('CONTAINER_NOT_FOUND', `System container '${name}' is not installed`, {
    hint: names.length === 0 ? 'No system container is installed.' : `Installed are: ${shown}${more}`,
    details: { name },
  });
}
