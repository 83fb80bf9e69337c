/** Collects the facts about a container. Takes no lock and changes nothing. */
import { resolve } from 'node:path';
import { isNameTaken } from '../../host/files/existing-paths.ts';
import type { Host } from '../../host/host.ts';
import { isSystemdRunning } from '../../host/systemd/booted.ts';
import { showProperties } from '../../host/systemd/systemctl.ts';
import {
  buildContainerPaths,
  buildDeploymentFolder,
  type DeploymentNumber,
  deploymentNumbers,
} from '../deployment.ts';
import { isHeld } from '../hold.ts';
import { findJournal } from '../journal.ts';
import { chooseStatus } from '../list-containers.ts';
import {
  buildContainerNotFound,
  type ContainerState,
  findLinkTarget,
  readContainer,
} from '../read-container.ts';
import { findRefused } from '../refused-image.ts';
import { adviceForExistingName, type ContainerName, parseContainerName } from '../render/container-name.ts';
import { readCurrent, requireUnchangedFiles } from '../update/read-current.ts';
import { compareDeployments } from './compare-deployments.ts';
import type {
  ContainerDescription,
  DeploymentDescription,
  ServiceDescription,
} from './container-description.ts';
import { describeDeployment } from './describe-deployment.ts';
import { gatherProblems } from './gather-problems.ts';

/**
 * Describes a container. Damage is a part of the description, not an error.
 *
 * @throws BAD_VALUE, CONTAINER_NOT_FOUND, INTERRUPTED; file errors when CHECKOUTS cannot be read
 */
export async function describeContainer(host: Host, written: string): Promise<ContainerDescription> {
  const name = parseContainerName(written, adviceForExistingName);
  const first = await describeOnce(host, name);
  const isSound = [first, ...first.deployments].every(({ problems }) => problems.length === 0);
  // An operation may have ended between two reads.
  return isSound ? first : describeOnce(host, name);
}

async function describeOnce(host: Host, name: ContainerName): Promise<ContainerDescription> {
  const state = await readContainer(host, name);
  const problems: string[] = [];
  const gather = <T>(read: (looking: Host) => Promise<T>) => gatherProblems(host, problems, read);
  const journal = await gather((looking) => findJournal(looking, name));
  if (state.kind === 'absent' && journal === undefined && problems.length === 0) {
    throw await buildContainerNotFound(host, name);
  }
  if (state.kind === 'damaged') problems.push(state.reason);
  if (journal !== undefined) {
    const operation = nameOperation(journal.operation);
    problems.push(`${operation} still runs, or was interrupted; \`atomic recover\` undoes or finishes it`);
  }
  const deployments = await describeDeployments(host, name);
  if (state.kind === 'installed') {
    await gather(async (looking) =>
      requireUnchangedFiles(looking, await readCurrent(looking, name), 'updating'),
    );
  }
  const paths = buildContainerPaths(host.locations, name);
  const hasUnit = await isNameTaken(paths.service);
  const hasService = state.kind === 'installed' ? state.record.hasContainerService : hasUnit;
  const service = hasService ? await gather((looking) => readService(looking, name)) : undefined;
  const refused = await gather((looking) => findRefused(looking, name));
  return {
    name,
    status: findStatus(state, service, journal !== undefined),
    operation: journal && {
      operation: journal.operation,
      phase: 'phase' in journal.commit ? journal.commit.phase : undefined,
    },
    service,
    unit: hasUnit ? paths.service : undefined,
    tmpfiles: (await isNameTaken(paths.tmpfiles)) ? paths.tmpfiles : undefined,
    isHeld: (await gather((looking) => isHeld(looking, name))) ?? false,
    refused: refused === undefined ? [] : [refused],
    deployments,
    changes: await gather((looking) => compareBoth(looking, name, deployments)),
    problems: problems.filter((text) => !deployments.some((one) => one.problems.includes(text))),
  };
}

function nameOperation(operation: string): string {
  return /^[aeiou]/.test(operation) ? `An ${operation}` : `A ${operation}`;
}

async function describeDeployments(
  host: Host,
  name: ContainerName,
): Promise<readonly DeploymentDescription[]> {
  const target = await findLinkTarget(buildContainerPaths(host.locations, name).link);
  const isActive = (number: DeploymentNumber): boolean =>
    target !== undefined &&
    resolve(host.locations.checkouts, target) === buildDeploymentFolder(host.locations, name, number);
  const described = await Promise.all(
    deploymentNumbers.map((number) => describeDeployment(host, name, number, isActive(number))),
  );
  return described
    .filter((deployment) => deployment !== undefined)
    .sort((a, b) => Number(b.isActive) - Number(a.isActive));
}

function findStatus(
  state: ContainerState,
  service: ServiceDescription | undefined,
  isOperating: boolean,
): ContainerDescription['status'] {
  if (state.kind === 'installed') return chooseStatus(service);
  return isOperating ? 'incomplete' : 'damaged';
}

/** @returns undefined when systemd does not run */
async function readService(host: Host, name: ContainerName): Promise<ServiceDescription | undefined> {
  if (!(await isSystemdRunning())) return undefined;
  const unit = `${name}.service`;
  const properties = ['LoadState', 'ActiveState', 'SubState', 'Result', 'UnitFileState'];
  const [block] = await showProperties(host, properties, [unit]);
  const read = (property: string) => block?.get(property) ?? '';
  return {
    unit,
    loadState: read('LoadState'),
    activeState: read('ActiveState'),
    subState: read('SubState'),
    result: read('Result'),
    fileState: read('UnitFileState'),
  };
}

async function compareBoth(host: Host, name: ContainerName, deployments: readonly DeploymentDescription[]) {
  const [after, before] = deployments;
  if (after?.isActive !== true || after.installed === undefined || before?.installed === undefined) return;
  return compareDeployments(
    host,
    name,
    { number: before.number, record: before.installed.record },
    { number: after.number, record: after.installed.record },
  );
}
