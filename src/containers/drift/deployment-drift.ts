/** Compares the folders of deployments: `config.json` with its copy, the root filesystem with the image. */
import { isNameTaken } from '../../host/files/existing-paths.ts';
import { findText } from '../../host/files/find-file.ts';
import type { Host } from '../../host/host.ts';
import { buildDeploymentFolder, buildDeploymentPaths } from '../deployment.ts';
import { compareWithCopy } from '../file-condition.ts';
import type { InstalledDeployment } from '../list-deployments.ts';
import { checkDeployment } from '../verify/check-deployment.ts';
import { findCommitOf, type VerifySubject } from '../verify/verify-subjects.ts';
import type { Drift } from './drift.ts';
import { describeFile } from './service-drift.ts';

/** A deployment, and the image that it was made of. */
interface OwnDeployment {
  readonly deployment: InstalledDeployment;
  readonly subject: VerifySubject;
}

/** Lists the deployments of a container, without those that an operation has set aside. */
export function selectDeployments(
  host: Host,
  name: string,
  subjects: readonly VerifySubject[],
): readonly OwnDeployment[] {
  return subjects.flatMap((subject) =>
    subject.deployments
      .filter(
        (deployment) =>
          deployment.name === name &&
          deployment.folder === buildDeploymentFolder(host.locations, name, deployment.number),
      )
      .map((deployment) => ({ deployment, subject })),
  );
}

/** @throws file errors, INTERRUPTED */
export async function findDeploymentDrift(host: Host, own: OwnDeployment): Promise<readonly Drift[]> {
  const { number } = own.deployment;
  const drifts = [...(await compareConfig(own)), ...(await compareRoot(host, own))];
  return drifts.map((drift) => ({ ...drift, deployment: number }));
}

/** A deployment of an earlier version has no copy: any configuration is right then. */
async function compareConfig({ deployment }: OwnDeployment): Promise<readonly Drift[]> {
  const { name, folder, record } = deployment;
  const { config, configCopy, unitCopies } = buildDeploymentPaths(folder, name);
  const copy = await findText(configCopy);
  if (copy === undefined) {
    const units = await Promise.all(unitCopies.map(({ path }) => findText(path)));
    const isNeeded = units.some((text) => text?.includes(record.runtime));
    if (!isNeeded || (await isNameTaken(config))) return [];
    const reason = `there is no copy of it: restore it from a backup, or uninstall ${name} and install it again`;
    return [{ part: 'container', path: config, state: 'missing', reason, isTolerated: false }];
  }
  return describeFile(
    'config',
    config,
    compareWithCopy(config, copy, () => true),
  );
}

async function compareRoot(host: Host, { deployment, subject }: OwnDeployment): Promise<readonly Drift[]> {
  const { name, folder, record, reference } = deployment;
  if (!record.hasContainerService) return [];
  const { rootfs, info } = buildDeploymentPaths(folder, name);
  const commit = findCommitOf(host, subject.target, deployment);
  if (commit === undefined) {
    const reason = 'the store does not have it: the files of the container cannot be compared';
    return [{ part: 'image', path: reference, state: 'missing', reason, isTolerated: false }];
  }
  const drifts: Drift[] = [];
  host.report({ kind: 'step', text: `Comparing the files of ${name}` });
  const { copies, unread } = await checkDeployment(host, rootfs, commit, ({ path, state, reason }) => {
    if (state === 'copied') return;
    const isAdded = state === 'additional';
    drifts.push({
      ...{ part: 'file', path: `${rootfs}${path}`, state: isAdded ? 'added' : state, reason },
      isTolerated: isAdded,
    });
  });
  if (copies > 0) {
    const reason = `${copies} of its files are copies, and not hard links of the store`;
    drifts.push({ part: 'files', path: rootfs, state: 'copied', reason, isTolerated: true });
  }
  if (unread > 0) {
    const reason = 'a part of it cannot be read: see atomic images verify';
    drifts.push({ part: 'image', path: reference, state: 'changed', reason, isTolerated: false });
  }
  if (commit !== record.ostreeCommit) {
    const reason = 'it names a commit that is not in the store';
    drifts.push({ part: 'info', path: info, state: 'changed', reason, isTolerated: false });
  }
  return drifts;
}
