/** Whether an update copies the state of a container, and whether it can. */
import { mkdtemp, statfs } from 'node:fs/promises';
import { AtomicError } from '../../base/errors.ts';
import { withFileErrors } from '../../base/file-error.ts';
import { removeTree, requireNoMounts } from '../../host/files/remove-tree.ts';
import type { Host } from '../../host/host.ts';
import { captureProgram, runProgram } from '../../host/run-program.ts';
import type { DeploymentRecord } from '../container.ts';
import { isFolder } from '../read-container.ts';

/** The state folder of a container; undefined when its STATE_DIRECTORY is no absolute path. */
export function findStateFolder(name: string, { values }: DeploymentRecord): string | undefined {
  const parent = values.STATE_DIRECTORY;
  return typeof parent === 'string' && parent.startsWith('/') ? `${parent}/${name}` : undefined;
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
  const folder = findStateFolder(name, before);
  if (before.stateVersion === after.stateVersion || folder === undefined) return undefined;
  await requireNoMounts(folder);
  if (await isFolder(folder)) await requireRoom(host, folder);
  return folder;
}

async function requireRoom(host: Host, folder: string): Promise<void> {
  const { checkouts } = host.locations;
  const used = await runProgram(host, ['du', '--summarize', '--block-size=1', '--', folder]);
  const needed = Number(/^\d+/.exec(used)?.[0]);
  const { bsize, bfree } = await withFileErrors(`look at ${checkouts}`, () => statfs(checkouts));
  const free = bfree * bsize;
  if (needed < free || (await sharesBlocks(host, folder))) return;
  throw new AtomicError(
    'NO_SPACE',
    `copying the state in ${folder} to ${checkouts}: ${needed} bytes are needed, ${free} are free`,
    { hint: 'The image changes its state, so the update copies it first. Make room there.' },
  );
}

/** Tried with an empty folder: a filesystem cannot be asked. */
async function sharesBlocks(host: Host, folder: string): Promise<boolean> {
  const trial = await withFileErrors(`write to ${host.locations.checkouts}`, () =>
    mkdtemp(`${host.locations.checkouts}/.atomic-trial-`),
  );
  try {
    const source = `${trial}/source`;
    await runProgram(host, ['cp', '--no-target-directory', '--', '/proc/self/comm', source]);
    const isShared = await captureProgram(host, ['cp', '--reflink=always', source, `${trial}/copy`]);
    const devices = await runProgram(host, ['stat', '--format=%d', '--', trial, folder]);
    return isShared.exitCode === 0 && new Set(devices.trim().split('\n')).size === 1;
  } finally {
    await removeTree(trial);
  }
}
