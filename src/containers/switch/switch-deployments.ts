/**
 * Switches containers from one deployment to the other: the second half of an update, and all of a rollback. Each step is
 * done for all containers before the next step.
 *
 * ```
 * build       .NAME.TO.new is complete and on the disk; the running container has not changed
 * journal     phase `switching`: the following steps are undone after a failure and after a crash
 * make room   NAME.TO -> .NAME.TO.previous, .NAME.TO.new -> NAME.TO            (an update; for a rollback NAME.TO exists)
 * host files  files of /exports/hostfs, unit and tmpfiles.d file of TO; systemd reads the units now if they stop the services alike
 * prepare     all that a step between the stop and the start needs
 * stop        the services, and the units that depend on them
 * symlink     NAME -> NAME.TO, by one rename
 * state       the state folder, when the image changes its stateVersion
 * start       the units that ran
 * sync        the symlink; until the journal has its next phase, a crash leads back, also when the symlink is synced
 * health      the services must be up, otherwise all steps are undone
 * journal     phase `settled`: the following steps are finished after a crash
 * clean up    .NAME.TO.previous is removed, then the journal
 * ```
 */
import { rename } from 'node:fs/promises';
import { AtomicError, rewordError } from '../../base/errors.ts';
import { withFileErrors } from '../../base/file-error.ts';
import type { Host } from '../../host/host.ts';
import { shieldFromInterruption, throwIfInterrupted } from '../../host/interruption.ts';
import { parseTmpfiles } from '../../host/systemd/tmpfiles-lines.ts';
import { buildDeploymentFolder, listUnitsOf } from '../deployment.ts';
import { type ExchangeResult, exchangeHostFiles } from '../hostfiles/exchange-host-files.ts';
import { readAllStagedFiles, readStagedFiles } from '../hostfiles/read-staged-files.ts';
import { replaceJournal } from '../journal.ts';
import type { Journal } from '../journal-format.ts';
import { isFolder } from '../read-container.ts';
import { finish, goBack } from '../recovery/walk-journal.ts';
import { bringsUnits } from '../render/hostfiles/host-path-rules.ts';
import { stopsAlike } from '../render/unit/unit-settings.ts';
import { buildRollbackFailed } from '../rollback-failed.ts';
import { createDeclaredPaths, readCopies, replaceHostFiles } from '../service/activate.ts';
import { listPathsToCreate } from '../service/created-paths.ts';
import { type DeclaredPaths, undoDeclaredPaths } from '../service/declared-paths.ts';
import { type ReplacedUnits, reloadUnits } from '../service/reload-units.ts';
import { listRunningUnits } from '../service/running-units.ts';
import type { HealthRequest } from './await-health.ts';
import {
  buildBuildingJournal,
  buildSettledJournal,
  buildSwitchingJournal,
  type Switch,
  type SwitchMember,
} from './switch-journal.ts';
import { switchServices } from './switch-services.ts';

/** The paths that the tmpfiles.d files of the new deployments may have created, by container. */
type Declared = Map<string, DeclaredPaths>;

/**
 * Switches to other deployments. The caller has written the journal, in the phase `building`.
 *
 * After success, the services of the new deployments are up, or stopped as they were before. After a failure or an
 * interruption, all old deployments are restored, and the units that ran before run again.
 *
 * @param health of the members; empty when services are not started
 * @returns the changes to the host files of the images, by the names of the containers
 * @throws ROLLED_BACK {phase, log, culprit} when a service is not up, and the errors of the steps, both after the old
 *   deployments are restored; ROLLBACK_FAILED when an old service does not come up either
 */
export async function switchDeployments(
  host: Host,
  change: Switch,
  health: readonly HealthRequest[],
): Promise<ReadonlyMap<string, ExchangeResult>> {
  let journal = buildBuildingJournal(change);
  const proceed = async (next: Journal) => {
    await replaceJournal(host, journal, next);
    journal = next;
  };
  const declared: Declared = new Map();
  let exchanged: ReadonlyMap<string, ExchangeResult>;
  try {
    // The build may take long, so the running units are listed just before the stop.
    const running = await listRunning(host, change);
    await proceed(buildSwitchingJournal(change, running));
    for (const member of change.members) await makeRoom(host, change, member);
    const files = await exchange(host, change, declared);
    exchanged = files.exchanged;
    await switchServices(host, change, { running, health, lateReload: files.lateReload });
    await proceed(buildSettledJournal(change));
  } catch (failure) {
    if (isUnknown(failure)) throw failure;
    throw await takeBack(shieldFromInterruption(host), { change, journal, declared }, failure);
  }
  try {
    await finish(shieldFromInterruption(host), journal);
  } catch (failure) {
    throw describeUnfinished(change, failure);
  }
  return exchanged;
}

/** Whether the journal may be in the phase `settled`: then the new deployments stay. */
function isUnknown(failure: unknown): boolean {
  return failure instanceof AtomicError && failure.code === 'ROLLBACK_FAILED';
}

/** A unit with a name of the container that its deployment does not have belongs to the host. */
async function listRunning(host: Host, { members }: Switch): Promise<readonly string[]> {
  const own: string[] = [];
  for (const { container: name, from } of members) {
    const { units } = await readCopies(buildDeploymentFolder(host.locations, name, from), name);
    own.push(...units.keys());
  }
  return listRunningUnits(host, own);
}

/** Builds the error after the new deployments are up, with a hint. */
function describeUnfinished({ members }: Switch, failure: unknown): unknown {
  if (!(failure instanceof AtomicError)) return failure;
  const hint = 'Remove the cause and run `atomic recover`.';
  const state = members.map(({ container, to }) => `${container} runs from ${container}.${to}`).join(', ');
  return rewordError(failure, `${failure.message}; ${state}`, hint);
}

async function makeRoom(
  host: Host,
  { operation }: Switch,
  { container: name, to }: SwitchMember,
): Promise<void> {
  if (operation === 'rollback') return;
  const folder = buildDeploymentFolder(host.locations, name, to);
  const built = buildDeploymentFolder(host.locations, name, to, 'new');
  const previous = buildDeploymentFolder(host.locations, name, to, 'previous');
  await withFileErrors(`replace ${folder}`, async () => {
    if (await isFolder(folder)) await rename(folder, previous);
    await rename(built, folder);
  });
}

interface Exchanged {
  readonly exchanged: ReadonlyMap<string, ExchangeResult>;
  /** The units that systemd must read after the stop, because it could not stop the services with them. */
  readonly lateReload: readonly ReplacedUnits[];
}

/** Replaces the files of the host by those of the new deployments, while the services still run. */
async function exchange(host: Host, { members }: Switch, declared: Declared): Promise<Exchanged> {
  const exchanged = new Map<string, ExchangeResult>();
  const units: ReplacedUnits[] = [];
  const tmpfiles: { readonly member: SwitchMember; readonly old: string; readonly wanted: string }[] = [];
  let hasUnit = false;
  for (const member of members) {
    const { result, replaced, wanted, hasUnits } = await exchangeFiles(host, member);
    const { container: name, isEnabled } = member;
    exchanged.set(name, result);
    units.push({ name, replaced: replaced.units, wanted: wanted.units, isEnabled });
    tmpfiles.push({ member, old: replaced.tmpfiles ?? '', wanted: wanted.tmpfiles ?? '' });
    hasUnit ||= hasUnits;
  }
  const reloadsEarly = units.every(({ name, replaced, wanted }) =>
    listUnitsOf(name).every((unit) => stopsAlike(replaced.get(unit) ?? '', wanted.get(unit) ?? '')),
  );
  if (hasUnit && reloadsEarly) await reloadUnits(host, units);
  for (const { member, old, wanted } of tmpfiles) {
    if (old === wanted) continue;
    const { container: name, to } = member;
    declared.set(name, await planDeclaredPaths(old, wanted));
    await createDeclaredPaths(host, name, buildDeploymentFolder(host.locations, name, to));
  }
  return { exchanged, lateReload: hasUnit && !reloadsEarly ? units : [] };
}

/** The host files of the image, the units and the tmpfiles.d file. */
async function exchangeFiles(host: Host, { container: name, from, to }: SwitchMember) {
  const oldFolder = buildDeploymentFolder(host.locations, name, from);
  const replaced = await readCopies(oldFolder, name);
  const folder = buildDeploymentFolder(host.locations, name, to);
  const wanted = await readCopies(folder, name);
  throwIfInterrupted(host);
  const staged = await readStagedFiles(host, folder, name);
  const old = await readAllStagedFiles(host, [oldFolder], name);
  const result = await exchangeHostFiles(host, old, staged, true);
  await replaceHostFiles(host, name, wanted);
  const ownUnits = [...old, ...(staged === undefined ? [] : [staged])].some(({ record }) =>
    bringsUnits(record),
  );
  const hasUnits = ownUnits || replaced.units.size + wanted.units.size > 0;
  return { result, replaced, wanted, hasUnits };
}

/** Plans the lines that only the new tmpfiles.d file has: the others have been carried out before. */
async function planDeclaredPaths(old: string, wanted: string): Promise<DeclaredPaths> {
  const known = new Set(parseTmpfiles(old).map(({ text }) => text));
  const added = parseTmpfiles(wanted).filter(({ text }) => !known.has(text));
  return { text: added.map(({ text }) => text).join('\n'), missing: await listPathsToCreate(wanted) };
}

interface Progress {
  readonly change: Switch;
  readonly journal: Journal;
  readonly declared: Declared;
}

/** @returns the error to throw, after the old deployments are restored */
async function takeBack(
  host: Host,
  { change, journal, declared }: Progress,
  failure: unknown,
): Promise<unknown> {
  try {
    await goBack(host, journal);
    for (const [name, paths] of declared) await undoDeclaredPaths(host, name, paths);
    return describeTakenBack(failure, change);
  } catch (undoFailure) {
    const step = change.members.map(({ container, to }) => `${container} to deployment ${to}`).join(', ');
    return buildRollbackFailed(`switching ${step}`, failure, undoFailure);
  }
}

/** Builds the error after the old deployments are restored. Only when a service was not up, the image is the cause. */
function describeTakenBack(failure: unknown, { members }: Switch): unknown {
  if (!(failure instanceof AtomicError)) return failure;
  const back = members.map(({ container, from }) => `${container}.${from}`).join(', ');
  const message = `${failure.message}; ${back} ${members.length === 1 ? 'is' : 'are'} restored`;
  if (failure.code !== 'UNIT_FAILED' || failure.details?.phase === undefined) {
    return rewordError(failure, message, failure.hint);
  }
  const culprit = members.find(({ container }) => container === failure.details?.culprit);
  return new AtomicError('ROLLED_BACK', message, {
    cause: failure.cause,
    hint: failure.hint,
    details: { ...failure.details, deployment: culprit?.from },
  });
}
