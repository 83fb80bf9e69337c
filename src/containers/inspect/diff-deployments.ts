/** Lists the differences between the two deployments of a container: files, values, and rendered files. */
import { basename } from 'node:path';
import { AtomicError } from '../../base/errors.ts';
import type { Host } from '../../host/host.ts';
import { withReadableStore } from '../../store/access/store-lock.ts';
import { compareCommits } from '../../store/compare-commits.ts';
import type { FileChange } from '../../store/file-change.ts';
import { type NamedRoot, nameDeployment } from '../find-root.ts';
import { requireCommit } from '../info-file.ts';
import { type InstalledDeployment, surveyDeployments } from '../list-deployments.ts';
import { parseContainerName } from '../render/container-name.ts';
import { compareDeployments } from './compare-deployments.ts';
import type { DeploymentChanges } from './container-description.ts';

interface DeploymentDiff {
  readonly before: NamedRoot;
  readonly after: NamedRoot;
  readonly files: readonly FileChange[];
  readonly changes: DeploymentChanges;
}

/**
 * Compares the other deployment of an installed container with the current one: the changes of the last update or
 * rollback.
 *
 * @param written the name of an existing container
 * @throws NO_PREVIOUS_DEPLOYMENT when it has one deployment; CONTAINER_DAMAGED, STORE_CORRUPT, INTERRUPTED
 */
export async function diffDeployments(host: Host, written: string): Promise<DeploymentDiff> {
  const name = parseContainerName(written);
  return withReadableStore(host, async () => {
    const { before, after } = await findBoth(host, name);
    return {
      before: nameDeployment(before),
      after: nameDeployment(after),
      files: await compareCommits(
        host,
        requireCommit(before.record.ostreeCommit, name),
        requireCommit(after.record.ostreeCommit, name),
      ),
      changes: await compareDeployments(host, name, before, after),
    };
  });
}

/** An update sets a deployment aside under a name that begins with a dot. */
function isSetAside({ folder }: InstalledDeployment): boolean {
  return basename(folder).startsWith('.');
}

async function findBoth(
  host: Host,
  name: string,
): Promise<{ readonly before: InstalledDeployment; readonly after: InstalledDeployment }> {
  const { installed, unreadable } = await surveyDeployments(host);
  const [damaged] = unreadable.filter((deployment) => deployment.name === name);
  const own = installed.filter((deployment) => deployment.name === name && !isSetAside(deployment));
  const after = own.find(({ isActive }) => isActive);
  if (damaged !== undefined || after === undefined) {
    const reason =
      damaged === undefined ? 'it has no current deployment' : `${damaged.folder}/info: ${damaged.reason}`;
    throw new AtomicError('CONTAINER_DAMAGED', `comparing the deployments of ${name}: ${reason}`, {
      hint: `\`atomic containers inspect ${name}\` shows its remains.`,
    });
  }
  const before = own.find(({ isActive }) => !isActive);
  if (before !== undefined) return { before, after };
  throw new AtomicError(
    'NO_PREVIOUS_DEPLOYMENT',
    `comparing the deployments of ${name}: it has only one, ${name}.${after.number}`,
    {
      hint: `It was not updated since it was installed. Compare it with an image: atomic diff ${name} IMAGE`,
      details: { name },
    },
  );
}
