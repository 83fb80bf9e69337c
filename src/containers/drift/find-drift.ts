/** Compares containers with what their deployments record. Takes no lock of a container, and changes nothing. */
import { existsSync } from 'node:fs';
import { AtomicError } from '../../base/errors.ts';
import { listFolder } from '../../host/files/find-file.ts';
import type { Host } from '../../host/host.ts';
import { withReadableStore } from '../../store/access/store-lock.ts';
import { parseNames } from '../control/require-services.ts';
import { buildContainerPaths, buildDeploymentPaths } from '../deployment.ts';
import { gatherProblems } from '../inspect/gather-problems.ts';
import { findJournal } from '../journal.ts';
import { surveyDeployments, type UnreadableDeployment } from '../list-deployments.ts';
import { requireRoot } from '../preconditions.ts';
import {
  buildContainerNotFound,
  findLinkTarget,
  listContainerNames,
  readContainer,
} from '../read-container.ts';
import { hasOwnUnits } from '../service/own-files.ts';
import { listSubjects, type VerifySubject } from '../verify/verify-subjects.ts';
import { findDeploymentDrift, selectDeployments } from './deployment-drift.ts';
import { type ContainerDrift, type Drift, isFault } from './drift.ts';
import { findHostFileDrift, findVolumeDrift } from './host-drift.ts';
import { findLostNeeds } from './host-needs.ts';
import { findServiceDrift } from './service-drift.ts';

/**
 * Compares containers, in the order of their names. Differences are results, not errors.
 *
 * @param written names; empty for all containers
 * @throws NOT_ROOT, BAD_VALUE, CONTAINER_NOT_FOUND, INTERRUPTED; file errors
 */
export async function verifyContainers(
  host: Host,
  written: readonly string[],
): Promise<readonly ContainerDrift[]> {
  requireRoot(host, 'verify');
  const names = await chooseContainers(host, written);
  return withStore(host, async () => {
    const survey = await surveyContainers(host);
    const found: ContainerDrift[] = [];
    for (const name of names) {
      let drifts = await findDrift(host, name, survey);
      // An operation may have begun or ended meanwhile.
      if (drifts.some(isFault)) drifts = await findDrift(host, name, await surveyContainers(host));
      found.push({ name, drifts });
    }
    return written.length > 0 ? found : [...found, ...(await findOrphans(host, names))];
  });
}

/** All deployments with their images. */
interface ContainerSurvey {
  readonly subjects: readonly VerifySubject[];
  readonly unreadable: readonly UnreadableDeployment[];
}

export async function surveyContainers(host: Host): Promise<ContainerSurvey> {
  const subjects = await listSubjects(host, []);
  return { subjects, unreadable: (await surveyDeployments(host)).unreadable };
}

/** @returns each name once, sorted; @throws BAD_VALUE, CONTAINER_NOT_FOUND */
export async function chooseContainers(host: Host, written: readonly string[]): Promise<readonly string[]> {
  if (written.length === 0) return listContainerNames(host);
  const names = parseNames(written);
  for (const name of names) {
    if ((await readContainer(host, name)).kind === 'absent') throw await buildContainerNotFound(host, name);
  }
  return [...names].sort();
}

/** A comparison must not create a store. */
async function withStore<T>(host: Host, action: () => Promise<T>): Promise<T> {
  return existsSync(`${host.locations.repository}/config`) ? withReadableStore(host, action) : action();
}

/** Compares one container. A file that cannot be read is a result, too. @throws INTERRUPTED */
export async function findDrift(
  host: Host,
  name: string,
  survey: ContainerSurvey,
): Promise<readonly Drift[]> {
  const problems: string[] = [];
  const found = await gatherProblems(host, problems, (looking) => compare(looking, name, survey));
  const path = buildContainerPaths(host.locations, name).link;
  return [
    ...(found ?? []),
    ...problems.map(
      (reason): Drift => ({ part: 'container', path, state: 'unreadable', reason, isTolerated: false }),
    ),
  ];
}

async function compare(
  host: Host,
  name: string,
  { subjects, unreadable }: ContainerSurvey,
): Promise<readonly Drift[]> {
  const interrupted = await findInterrupted(host, name);
  if (interrupted !== undefined) return [interrupted];
  const drifts: Drift[] = describeUnknown(unreadable.filter((one) => one.name === name));
  const own = selectDeployments(host, name, subjects);
  const active = own.find(({ deployment }) => deployment.isActive)?.deployment;
  if (active === undefined && drifts.length === 0) {
    drifts.push(await describeLink(host, name, own.length));
  }
  if (active !== undefined) {
    const paths = buildDeploymentPaths(active.folder, name);
    drifts.push(...(await findServiceDrift(host, name, paths)));
    drifts.push(...(await findHostFileDrift(active.record)));
    drifts.push(...(await findVolumeDrift(host, active.record, paths)));
    drifts.push(...(await findLostNeeds(host, name, active.record)));
  }
  for (const one of own) drifts.push(...(await findDeploymentDrift(host, one)));
  return drifts;
}

/** Without a readable `info`, nothing else of a deployment is known. */
function describeUnknown(unreadable: readonly UnreadableDeployment[]): Drift[] {
  return unreadable.map(({ name, folder, number, isMissing, reason }) => ({
    ...{ part: 'info', path: buildDeploymentPaths(folder, name).info, deployment: number },
    ...{ state: isMissing ? 'missing' : 'unreadable', isTolerated: false },
    reason: `${reason}: restore it from a backup, or atomic uninstall ${name}`,
  }));
}

/** @param count of the deployments, of which none is active */
async function describeLink(host: Host, name: string, count: number): Promise<Drift> {
  const { link: path } = buildContainerPaths(host.locations, name);
  const target = await findLinkTarget(path);
  const isLost = target === undefined && count === 1;
  const reason =
    target === undefined
      ? ['there is no deployment', 'it is not there', 'it is not there, and there are two deployments'][count]
      : `it names ${target}, which is no deployment of ${name}`;
  const state = isLost ? 'missing' : 'changed';
  return { part: 'symlink', path, state, reason: reason ?? '', isTolerated: false };
}

async function findInterrupted(host: Host, name: string): Promise<Drift | undefined> {
  const build = (reason: string): Drift => ({
    ...{ part: 'operation', path: name, state: 'interrupted', reason, isTolerated: false },
  });
  try {
    const journal = await findJournal(host, name);
    if (journal === undefined) return undefined;
    return build(`an operation (${journal.operation}) still runs, or was interrupted: atomic recover`);
  } catch (error) {
    if (!(error instanceof AtomicError) || error.code !== 'JOURNAL_UNREADABLE') throw error;
    return build(error.message);
  }
}

/** Units of atomic without a container: the folder of the containers was lost, or another one is mounted there. */
export async function findOrphans(host: Host, names: readonly string[]): Promise<readonly ContainerDrift[]> {
  const { units } = host.locations;
  const orphans: ContainerDrift[] = [];
  for (const { name: file } of await listFolder(units)) {
    const name = /^([^.].*)\.service$/.exec(file)?.[1];
    if (name === undefined || names.includes(name)) continue;
    const path = `${units}/${file}`;
    if (!(await hasOwnUnits(host, name))) continue;
    const reason = `there is no container for it: restore a backup, or atomic uninstall ${name}`;
    const lost: Drift = { part: 'container', path, state: 'missing', reason, isTolerated: false };
    orphans.push({ name, drifts: [(await findInterrupted(host, name)) ?? lost] });
  }
  return orphans;
}
