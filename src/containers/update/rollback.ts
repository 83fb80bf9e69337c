/** Rolls a container back to its other deployment. */

import { dirname } from 'node:path';
import { AtomicError, wrapError } from '../../base/errors.ts';
import { requireWritable } from '../../host/files/durable-files.ts';
import { requireNoMounts } from '../../host/files/remove-tree.ts';
import type { Host } from '../../host/host.ts';
import { throwIfInterrupted } from '../../host/interruption.ts';
import { listEnabledServices } from '../../host/systemd/systemctl.ts';
import type { DeploymentRecord } from '../container.ts';
import { withContainerLock } from '../container-lock.ts';
import { buildDeploymentFolder } from '../deployment.ts';
import { reportExchange } from '../hostfiles/exchange-host-files.ts';
import { keepHostFiles, requireKeptFiles } from '../hostfiles/keep-host-files.ts';
import { writeJournal } from '../journal.ts';
import { requireNotShown } from '../mounted-deployments.ts';
import { requireSystemAccess } from '../preconditions.ts';
import { readDeployment } from '../read-container.ts';
import { recoverContainer, recoverOthers } from '../recovery/recover.ts';
import { adviceForExistingName, parseContainerName } from '../render/container-name.ts';
import { dropStaleState, hasKeptState } from '../state/kept-state.ts';
import { findStateFolder } from '../state/plan-state-copy.ts';
import { switchDeployments } from '../switch/switch-deployments.ts';
import { buildBuildingJournal, type Switch } from '../switch/switch-journal.ts';
import { chooseHealthOfDeployment, type HealthChoice } from './choose-health.ts';
import { planRollback, type RollbackPlan } from './plan-rollback.ts';
import {
  type CurrentContainer,
  listRunning,
  readCurrent,
  requireComplete,
  requireLoadable,
  requireSameKind,
  requireUnchangedFiles,
} from './read-current.ts';

interface RollbackRequest extends HealthChoice {
  readonly name: string;
  /** Only returns the plan. */
  readonly isPlan: boolean;
}

interface RollbackResult {
  readonly outcome: 'planned' | 'rolled-back';
  readonly name: string;
  /** Numbers of the deployments. */
  readonly from: number;
  readonly to: number;
  readonly image: string;
  readonly image_id: string;
  /** The units that were stopped and started again. */
  readonly restarted: readonly string[];
  /** The state folder, when the rollback exchanges it for its copy. */
  readonly state: string | undefined;
  /** Only of a rollback that is planned. */
  readonly plan: RollbackPlan | undefined;
}

/**
 * Goes back to the other deployment, with its unit, tmpfiles.d file and values. A second rollback returns to the first
 * deployment.
 *
 * @throws NOT_ROOT, NO_SYSTEMD, CONTAINER_NOT_FOUND, CONTAINER_DAMAGED, FILE_CONFLICT; NO_PREVIOUS_DEPLOYMENT when
 *   there is no other deployment; the errors of `switchDeployment`
 */
export async function rollbackContainer(host: Host, request: RollbackRequest): Promise<RollbackResult> {
  const name = parseContainerName(request.name, adviceForExistingName);
  await requireSystemAccess(host, 'containers rollback');
  await recoverOthers(host, name);
  return withContainerLock(host, name, 'containers rollback', async () => {
    await recoverContainer(host, name);
    const current = await readCurrent(host, name);
    const { active: from, other: to } = current;
    const folder = buildDeploymentFolder(host.locations, name, to);
    const record = await requirePrevious(host, current, folder);
    requireSameKind(current, record, 'rolling back');
    if (record.hasContainerService) await requireComplete(folder, current);
    await requireUnchangedFiles(host, current, 'rolling back');
    await requireLoadable(host, current, 'rolling back');
    await requireNotShown(host, name);
    await requireKeptFiles(host, folder, name);
    const health = await chooseHealthOfDeployment(host, name, record, request);
    const state = await findRestoredState(host, current, record);
    const running = await listRunning(host, current);
    const result = {
      ...{ name, from, to, image: record.image, image_id: record.revision },
      ...{
        restarted: running,
        state,
        plan: request.isPlan ? await planRollback(host, current, record) : undefined,
      },
    };
    host.report({ kind: 'notice', text: `Attempting to roll back system container: ${name}` });
    host.report({ kind: 'notice', text: `Rolling back container ${name} to the checkout at ${folder}` });
    if (request.isPlan) return { outcome: 'planned', ...result };
    const isEnabled = record.hasContainerService && (await listEnabledServices(host, [name])).has(name);
    const change: Switch = {
      operation: 'rollback',
      members: [
        {
          container: name,
          from,
          to,
          isEnabled,
          hadPrevious: true,
          ...(state === undefined ? {} : { state }),
        },
      ],
    };
    await requireWritable(host.locations.units);
    await requireWritable(host.locations.tmpfiles);
    const hostFiles = [...current.record.hostFiles.paths, ...record.hostFiles.paths];
    for (const path of new Set(hostFiles.map((file) => dirname(file)))) await requireWritable(path);
    throwIfInterrupted(host);
    await dropStaleState(host, name, from);
    await keepHostFiles(host, buildDeploymentFolder(host.locations, name, from), name);
    await writeJournal(host, buildBuildingJournal(change));
    try {
      const exchanged = await switchDeployments(host, change, [health]);
      for (const result of exchanged.values()) reportExchange(host, result);
    } catch (error) {
      throw wrapError(error, `rolling back ${name}`);
    }
    return { outcome: 'rolled-back', ...result };
  });
}

/**
 * Finds the state folder, when the update from the other deployment has copied it.
 *
 * @throws DEPLOYMENT_IN_USE when something is mounted in it
 */
async function findRestoredState(
  host: Host,
  { name, record: present, other }: CurrentContainer,
  record: DeploymentRecord,
): Promise<string | undefined> {
  const folder = findStateFolder(name, record);
  const isKept = folder !== undefined && (await hasKeptState(host, name, other));
  if (isKept) {
    await requireNoMounts(folder);
    return folder;
  }
  if (present.stateVersion !== record.stateVersion) {
    host.report({
      kind: 'warning',
      text: `The state of ${name} stays as it is: no update has kept that of ${name}.${other}, which has another stateVersion`,
    });
  }
  return undefined;
}

async function requirePrevious(host: Host, { name }: CurrentContainer, folder: string) {
  const record = await readDeployment(host, folder, name);
  if (record !== undefined) return record;
  throw new AtomicError(
    'NO_PREVIOUS_DEPLOYMENT',
    `Error: Cannot find a previous deployment to rollback located at ${folder}`,
    {
      hint: `${name} was not updated since it was installed. See \`atomic containers list --json -a\`.`,
      details: { name, path: folder },
    },
  );
}
