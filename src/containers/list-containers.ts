import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { AtomicError } from '../base/errors.ts';
import { isErrno } from '../base/file-error.ts';
import { isJsonObject, parseJson } from '../base/json-text.ts';
import type { Host } from '../host/host.ts';
import { isSystemdRunning } from '../host/systemd/booted.ts';
import { readUnitStates, type UnitState } from '../host/systemd/unit-state.ts';
import type { ContainerStatus, DeploymentRecord, ListedContainer, ListedDeployment } from './container.ts';
import {
  buildContainerPaths,
  buildDeploymentFolder,
  buildDeploymentPaths,
  deploymentNumbers,
} from './deployment.ts';
import { listUnitNotes, type UnitNote } from './file-condition.ts';
import {
  type ContainerState,
  findLinkTarget,
  listContainerNames,
  readContainer,
  readDeployment,
} from './read-container.ts';
import { dropInit } from './render/config/default-init.ts';

interface InstalledContainer {
  readonly name: string;
  readonly record: DeploymentRecord;
  readonly command: readonly string[];
  readonly unitNotes: readonly UnitNote[];
  readonly deployments: readonly ListedDeployment[];
}

/**
 * Lists all containers by name, also damaged ones. Works without root, and without systemd; then services have no
 * state. Asks systemd once for all containers.
 */
export async function listContainers(host: Host): Promise<readonly ListedContainer[]> {
  const names = await listContainerNames(host);
  const read = (await Promise.all(names.map((name) => readListed(host, name)))).filter(
    (container) => container !== undefined,
  );
  const installed = read.filter((container) => 'record' in container);
  const withService = installed.filter(({ record }) => record.hasContainerService).map(({ name }) => name);
  const states = await readKnownStates(host, withService);
  return read.map((container) =>
    'record' in container
      ? { kind: 'container', ...container, status: chooseStatus(states.get(`${container.name}.service`)) }
      : container,
  );
}

/**
 * Names the state of a service (compatibility L-08). A transient state counts as failed, because a healthy service
 * leaves it soon; a service that reloads its configuration counts as running.
 *
 * @param state `undefined` for a container without a service
 */
export function chooseStatus(state: UnitState | undefined): ContainerStatus {
  switch (state?.activeState) {
    case undefined:
      return 'no service';
    case 'active':
    case 'reloading':
      return 'running';
    case 'inactive':
      return 'inactive';
    default:
      return 'failed';
  }
}

async function readListed(
  host: Host,
  name: string,
): Promise<InstalledContainer | (ListedContainer & { kind: 'damaged' }) | undefined> {
  const state = await readSettled(host, name);
  if (state.kind === 'absent') return undefined;
  const record = state.kind === 'installed' ? state.record : undefined;
  const deployments = await listDeploymentsOf(host, name, record);
  if (state.kind === 'damaged') return { kind: 'damaged', name, reason: state.reason, deployments };
  const { record: active } = state;
  return {
    ...{ name, record: active, command: await readCommand(host, name), deployments },
    unitNotes: active.hasContainerService ? await listSettledNotes(host, name) : [],
  };
}

/** During an operation, the unit may be that of the other deployment. */
async function listSettledNotes(host: Host, name: string): Promise<readonly UnitNote[]> {
  const notes = listUnitNotes(host, name);
  return notes.includes('edited') && (await hasJournal(host, name)) ? [] : notes;
}

async function hasJournal(host: Host, name: string): Promise<boolean> {
  const { listJournals } = await import('./journal.ts');
  return (await listJournals(host)).includes(name);
}

/** The deployments of a container, the active one first. @param active its record, when it could be read */
async function listDeploymentsOf(
  host: Host,
  name: string,
  active: DeploymentRecord | undefined,
): Promise<readonly ListedDeployment[]> {
  const { locations } = host;
  const target = await findLinkTarget(buildContainerPaths(locations, name).link);
  const found = await Promise.all(
    deploymentNumbers.map(async (number) => {
      const folder = buildDeploymentFolder(locations, name, number);
      const isActive = target !== undefined && resolve(locations.checkouts, target) === folder;
      try {
        const known = isActive ? active : undefined;
        const record = known ?? (await readDeployment(host, folder, name));
        return record === undefined && !isActive ? [] : [{ number, isActive, record }];
      } catch (error) {
        if (!(error instanceof AtomicError)) throw error;
        return [{ number, isActive, record: undefined }];
      }
    }),
  );
  return found.flat().sort((a, b) => Number(b.isActive) - Number(a.isActive));
}

/**
 * Reads a container twice before it reports damage, because an operation may have ended between the reads of the
 * container and of its journal.
 */
async function readSettled(host: Host, name: string): Promise<ContainerState> {
  for (const isLast of [false, true]) {
    const state = await readContainer(host, name);
    if (state.kind !== 'damaged') return state;
    if (await isBetween(host, name)) break;
    if (isLast) return state;
  }
  return { kind: 'absent' };
}

/**
 * Whether an operation is between two renames, or was killed there. Such a container is neither damaged nor installed.
 */
async function isBetween(host: Host, name: string): Promise<boolean> {
  if (!(await hasJournal(host, name))) return false;
  return (await findLinkTarget(buildContainerPaths(host.locations, name).link)) === undefined;
}

/** Empty without a configuration, as for images without a service, and for a configuration without a command. */
async function readCommand(host: Host, name: string): Promise<readonly string[]> {
  const { config } = buildDeploymentPaths(buildContainerPaths(host.locations, name).link, name);
  try {
    const parsed = parseJson(readFileSync(config, 'utf8'));
    const spec = isJsonObject(parsed) ? parsed.process : undefined;
    const args = isJsonObject(spec) ? spec.args : undefined;
    return Array.isArray(args) ? dropInit(args.map(String)) : [];
  } catch (error) {
    if (error instanceof SyntaxError || isErrno(error, 'ENOENT', 'EACCES')) return [];
    throw error;
  }
}

/** By unit. When systemd does not answer, the list shows the containers without states. */
async function readKnownStates(
  host: Host,
  names: readonly string[],
): Promise<ReadonlyMap<string, UnitState>> {
  if (names.length === 0 || !(await isSystemdRunning())) return new Map();
  try {
    return await readUnitStates(
      host,
      names.map((name) => `${name}.service`),
    );
  } catch (error) {
    if (!(error instanceof AtomicError) || error.code === 'INTERRUPTED') throw error;
    host.report({ kind: 'warning', text: `The state of the services is unknown: ${error.message}` });
    return new Map();
  }
}
