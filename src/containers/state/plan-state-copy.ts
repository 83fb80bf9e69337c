/** Whether an update copies the state of a container, and whether it can. */
import { mkdir, statfs } from 'node:fs/promises';
import { AtomicError } from '../../base/errors.ts';
import { withFileErrors } from '../../base/file-error.ts';
import { toPrintable } from '../../base/printable.ts';
import { removeTree, requireNoMounts } from '../../host/files/remove-tree.ts';
import type { Host } from '../../host/host.ts';
import { captureProgram, runProgram } from '../../host/run-program.ts';
import { buildNamedFolder } from '../consent/own-folders.ts';
import type { DeploymentRecord } from '../container.ts';
import { buildDeploymentFolder } from '../deployment.ts';
import { isFolder } from '../read-container.ts';

/**
 * @returns undefined when STATE_DIRECTORY is no absolute path, and for a folder that belongs to another program: it is
 *   neither copied nor replaced
 */
export function findStateFolder(name: string, record: DeploymentRecord): string | undefined {
  const folder = buildNamedFolder(name, record.values.STATE_DIRECTORY);
  return folder === undefined || record.foreignFolders.includes(folder) ? undefined : folder;
}

/**
 * Finds the folder that an update has to copy: only when the image changes `stateVersion`.
 *
 * @throws DEPLOYMENT_IN_USE when something is mounted in the folder, NO_SPACE when a copy does not fit
 */
export async function planStateCopy(
  host: Host,
  name: string,
  before: DeploymentRecord,
  after: DeploymentRecord,
): Promise<string | undefined> {
  if (before.stateVersion === after.stateVersion) return undefined;
  const folder = findStateFolder(name, before);
  if (folder === undefined) {
    warnOfForeignState(host, name, before);
    return undefined;
  }
  await requireNoMounts(folder);
  if (await isFolder(folder)) await requireRoom(host, name, folder);
  return folder;
}

function warnOfForeignState(host: Host, name: string, record: DeploymentRecord): void {
  const folder = buildNamedFolder(name, record.values.STATE_DIRECTORY);
  if (folder === undefined) return;
  host.report({
    kind: 'warning',
    text: `The image changes its state, and ${toPrintable(folder)} is not copied: it existed before ${name} was installed`,
  });
}

async function requireRoom(host: Host, name: string, folder: string): Promise<void> {
  const { checkouts } = host.locations;
  const used = await runProgram(host, ['du', '--summarize', '--block-size=1', '--', folder]);
  const needed = Number(/^\d+/.exec(used)?.[0]);
  const { bsize, bfree } = await withFileErrors(`look at ${checkouts}`, () => statfs(checkouts));
  const free = bfree * bsize;
  if (needed < free || (await sharesBlocks(host, name, folder))) return;
  throw new AtomicError(
    'NO_SPACE',
    `copying the state in ${folder} to ${checkouts}: ${needed} bytes are needed, ${free} are free`,
    { hint: 'The image changes its state, so the update copies it first. Make room there.' },
  );
}

/**
 * Tries it with a file, because a filesystem cannot be asked. The folder has the name of a deployment that is being built:
 * after a crash, the next update or prune removes it.
 */
async function sharesBlocks(host: Host, name: string, folder: string): Promise<boolean> {
  const trial = buildDeploymentFolder(host.locations, name, 0, 'new');
  await removeTree(trial);
  try {
    await withFileErrors(`write to ${host.locations.checkouts}`, () => mkdir(trial));
    const source = `${trial}/source`;
    await runProgram(host, ['cp', '--no-target-directory', '--', '/proc/self/comm', source]);
    const isShared = await captureProgram(host, ['cp', '--reflink=always', source, `${trial}/copy`]);
    const devices = await runProgram(host, ['stat', '--format=%d', '--', trial, folder]);
    return isShared.exitCode === 0 && new Set(devices.trim().split('\n')).size === 1;
  } finally {
    await removeTree(trial);
  }
}
