/** Carries out steps. */

import { dropSpare, sparePath } from '../../host/files/spare-file.ts';
import type { Host } from '../../host/host.ts';
import { runVisibly } from '../../host/run-program.ts';
import { reloadCommand } from '../../host/systemd/systemctl.ts';
import { UnitJobs } from '../../host/systemd/unit-jobs.ts';
import { buildContainerPaths, buildDeploymentFolder, listUnitsOf } from '../deployment.ts';
import { forgetHold } from '../hold.ts';
import { dropHostSpares, exchangeHostFiles, reportLeftFiles } from '../hostfiles/exchange-host-files.ts';
import { readAllStagedFiles, readStagedFiles } from '../hostfiles/read-staged-files.ts';
import { findLinkTarget, isFolder } from '../read-container.ts';
import { forgetRefused } from '../refused-image.ts';
import { bringsUnits } from '../render/hostfiles/host-path-rules.ts';
import {
  activateDeployment,
  createDeclaredPaths,
  deactivateDeployment,
  readCopies,
  restoreHostFiles,
} from '../service/activate.ts';
import { disableService, startServiceAgain, startStopped, stopUnits } from '../service/container-service.ts';
import { reloadRestoredUnits } from '../service/reload-units.ts';
import { markFolders } from '../state/foreign-folders.ts';
import { restoreState } from '../state/kept-state.ts';
import type { Step } from '../step.ts';
import { removeVolumes } from '../volumes/remove-volumes.ts';
import {
  buildPlaceFolder,
  changeLink,
  removeFoldersMadeBy,
  removePlaces,
  setAside,
} from './move-deployment.ts';
import { enableService, restoreFile } from './restore-file.ts';
import { unregister } from './unregister.ts';

/**
 * Runs steps one after another. The caller holds the locks of their containers.
 *
 * @throws the error of the first step that fails; then all may be repeated
 */
export async function runSteps(host: Host, steps: readonly Step[]): Promise<void> {
  for (const step of steps) await runStep(host, step);
}

async function runStep(host: Host, step: Step): Promise<void> {
  switch (step.step) {
    case 'stop':
      return stopUnlessActive(host, step);
    case 'start':
      return startStopped(host, step.units);
    case 'start-again':
      return startServiceAgain(host, step.container, step.units);
    case 'link':
      return changeLink(host, step);
    case 'state':
      return restoreState(host, step);
    case 'set-aside':
      return setAside(host, step);
    case 'host-files':
      return exchange(host, step);
    case 'unit-files':
      return restoreHostFiles(host, step.container, await readCopiesOf(host, step.container, step.to));
    case 'drop-spares':
      return dropSpares(host, step);
    case 'reload':
      return reload(host, step);
    case 'restore':
      return restoreFile(host, step);
    case 'enable':
      return enableService(host, step.container);
    case 'create-paths':
      return createDeclaredPaths(host, step.container, finalFolder(host, step.container, step.number));
    case 'activate':
      return activateDeployment(host, step.container, finalFolder(host, step.container, step.number));
    case 'deactivate':
      return deactivate(host, step);
    case 'disable':
      return disableService(host, step.container);
    case 'unregister':
      return unregister(host, step);
    case 'remove-created-folders':
      return removeFoldersMadeBy(host, step);
    case 'remove':
      return removePlaces(host, step);
    case 'remove-volumes':
      return removeVolumes(step);
    case 'mark-folders':
      return markFolders(host, step.container, step.folders);
    case 'forget':
      await forgetRefused(host, step.container);
      return forgetHold(host, step.container);
  }
}

function finalFolder(host: Host, name: string, number: 0 | 1): string {
  return buildDeploymentFolder(host.locations, name, number);
}

function readCopiesOf(host: Host, name: string, number: 0 | 1) {
  return readCopies(finalFolder(host, name, number), name);
}

async function stopUnlessActive(host: Host, { container: name, unless }: Step<'stop'>): Promise<void> {
  const target = await findLinkTarget(buildContainerPaths(host.locations, name).link);
  if (target === finalFolder(host, name, unless)) return;
  using jobs = new UnitJobs(host);
  await stopUnits(host, jobs, listUnitsOf(name));
}

/** When none of the deployments exists, their files are not on the host either. */
async function exchange(host: Host, { container: name, from, to }: Step<'host-files'>): Promise<void> {
  const folders = from.map((place) => buildPlaceFolder(host, name, place));
  const areThere = await Promise.all(folders.map(isFolder));
  if (!areThere.includes(true)) return;
  const old = await readAllStagedFiles(host, folders, name);
  if (to !== null) {
    const staged = await readStagedFiles(host, finalFolder(host, name, to), name);
    await exchangeHostFiles(host, old, staged);
    return;
  }
  reportLeftFiles(host, await exchangeHostFiles(host, old, undefined));
  if (old.some(({ record }) => bringsUnits(record))) await runVisibly(host, reloadCommand);
}

async function dropSpares(host: Host, { container: name, from, to }: Step<'drop-spares'>): Promise<void> {
  const { units, tmpfiles, spareLink } = buildContainerPaths(host.locations, name);
  const files = [...units.map(({ path }) => path), tmpfiles];
  for (const spare of [spareLink, ...files.map((path) => sparePath(path))]) await dropSpare(spare);
  const old = await readStagedFiles(host, finalFolder(host, name, from), name);
  const staged = await readStagedFiles(host, finalFolder(host, name, to), name);
  if (old !== undefined) await dropHostSpares(old, staged);
}

/** When the deployment does not exist, its unit is not on the host either. */
async function reload(host: Host, { units }: Step<'reload'>): Promise<void> {
  const changes = [];
  const folders = new Map<string, readonly string[]>();
  for (const { container: name, from, to, isEnabled } of units) {
    const { units: wanted } = await readCopiesOf(host, name, to);
    const folder = buildPlaceFolder(host, name, from);
    const replaced = (await isFolder(folder)) ? (await readCopies(folder, name)).units : wanted;
    changes.push({ name, replaced, wanted, isEnabled });
    folders.set(name, [finalFolder(host, name, to), buildContainerPaths(host.locations, name).link]);
  }
  await reloadRestoredUnits(host, changes, (name) => folders.get(name) ?? []);
}

/** An install activates its deployment only after the deployment is complete. */
async function deactivate(host: Host, { container: name, number }: Step<'deactivate'>): Promise<void> {
  for (const state of ['final', 'old'] as const) {
    if (await isFolder(buildPlaceFolder(host, name, { number, state }))) {
      return deactivateDeployment(host, name);
    }
  }
}
