/** Describes deployments whose image is unknown, and the remedies. */

import { AtomicError } from '../base/errors.ts';
import { formatArgv } from '../base/format-argv.ts';
import { toPrintable } from '../base/printable.ts';
import type { Host } from '../host/host.ts';
import type { UnreadableContainer } from '../image/verified-image.ts';
import { buildDeploymentPaths } from './deployment.ts';
import { listJournals } from './journal.ts';
import { listDeployments, type UnreadableDeployment } from './list-deployments.ts';
import { parseContainerName } from './render/container-name.ts';

/**
 * Describes the deployments for a person, each with a remedy.
 *
 * @throws a journal folder that cannot be read
 */
export async function describeUnreadable(
  host: Host,
  unreadable: readonly UnreadableDeployment[],
): Promise<readonly UnreadableContainer[]> {
  return Promise.all(
    unreadable.map(async (deployment) => ({
      container: deployment.name,
      number: deployment.number,
      files: 0,
      problems: [
        {
          path: 'info',
          state: deployment.isMissing ? ('missing' as const) : ('changed' as const),
          reason: deployment.reason,
        },
      ],
      damagedLinks: [],
      remedy: await findRemedy(host, deployment),
    })),
  );
}

/**
 * Builds the error of an operation that must know the image of every container.
 *
 * @param step "verb object"
 * @param consequence what was not done, and why, without a full stop
 * @returns CONTAINER_DAMAGED
 */
export async function buildUnreadable(
  host: Host,
  unreadable: readonly UnreadableDeployment[],
  { step, consequence }: { readonly step: string; readonly consequence: string },
): Promise<AtomicError> {
  const damage = unreadable.map(
    ({ name, folder, reason }) => `the container ${name} is damaged: ${folder}/info: ${reason}`,
  );
  const remedies = (await describeUnreadable(host, unreadable)).map(({ remedy }) => remedy);
  return new AtomicError('CONTAINER_DAMAGED', `${step}: ${toPrintable(damage.join('; '))}`, {
    hint: `${consequence}: ${[...new Set(remedies)].join('; ')}; then repeat the command.`,
    details: {
      containers: unreadable.map(({ name, number, folder, reason }) => ({
        container: name,
        deployment: number,
        folder,
        reason,
      })),
    },
  });
}

async function findRemedy(host: Host, deployment: UnreadableDeployment): Promise<string> {
  const { name, folder } = deployment;
  if ((await listJournals(host)).includes(name)) {
    return 'an operation on it was interrupted or still runs: `atomic recover`';
  }
  if (await isOtherOneActive(host, deployment)) {
    return `remove that deployment, which the container does not run from: \`${formatArgv(['rm', '-r', folder])}\``;
  }
  if (!isContainerName(name)) return `it is not a container of atomic: move ${folder} elsewhere`;
  const { info } = buildDeploymentPaths(folder, name);
  return `remove the container with \`atomic uninstall ${name}\` (install it again afterwards), or restore ${info} from a backup`;
}

/** An uninstall would remove the whole container because of a damaged deployment that is not in use. */
async function isOtherOneActive(host: Host, { name, number }: UnreadableDeployment): Promise<boolean> {
  const installed = await listDeployments(host);
  return installed.some((other) => other.name === name && other.number !== number && other.isActive);
}

function isContainerName(name: string): boolean {
  try {
    parseContainerName(name);
    return true;
  } catch (error) {
    if (error instanceof AtomicError) return false;
    throw error;
  }
}
