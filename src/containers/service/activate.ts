/** Registers a deployment with systemd, and undoes that. */
import { basename, dirname } from 'node:path';
import { AtomicError, rewordError } from '../../base/errors.ts';
import { FileMode } from '../../base/file-mode.ts';
import { toPrintable } from '../../base/printable.ts';
import {
  ensureDirectory,
  removeFile,
  syncFilesystemsOf,
  temporaryPath,
  writeFileDurably,
} from '../../host/files/durable-files.ts';
import { findText } from '../../host/files/find-file.ts';
import type { Host } from '../../host/host.ts';
import { buildCommandFailed, captureProgram, runProgram, runVisibly } from '../../host/run-program.ts';
import {
  buildDisableNowCommand,
  buildEnableCommand,
  reloadCommand,
  withoutReload,
} from '../../host/systemd/systemctl.ts';
import { buildCreateCommand } from '../../host/systemd/systemd-tmpfiles.ts';
import { readUnitStates } from '../../host/systemd/unit-state.ts';
import type { PlannedFile } from '../container.ts';
import { buildContainerPaths, buildDeploymentPaths } from '../deployment.ts';
import { type ExchangeResult, exchangeHostFiles } from '../hostfiles/exchange-host-files.ts';
import { readStagedFiles } from '../hostfiles/read-staged-files.ts';
import { bringsUnits } from '../render/hostfiles/host-path-rules.ts';
import { installsAlike } from '../render/unit/unit-settings.ts';
import { syncDeclaredPaths } from './created-paths.ts';
import { isOwnTmpfiles, listOwnUnits } from './own-files.ts';

/**
 * The programs that activate a new container, in their order; the service is enabled and not started (compatibility
 * N-10).
 *
 * @param hasHostUnits whether units are among the host files
 */
export function buildActivationCommands(
  files: readonly PlannedFile[],
  hasHostUnits: boolean,
): readonly (readonly string[])[] {
  const list = (role: PlannedFile['role']) =>
    files.filter((file) => file.role === role).map(({ path }) => path);
  const units = list('unit').map((path) => basename(path));
  return [
    ...(units.length > 0 || hasHostUnits ? [reloadCommand] : []),
    ...list('tmpfiles').map((path) => buildCreateCommand(path)),
    ...(units.length > 0 ? [buildEnableCommand(units)] : []),
  ];
}

/**
 * Registers a deployment with systemd and creates its declared paths. May be repeated. After success, all changes are
 * synced.
 *
 * @param folder the deployment
 * @throws as its two steps
 */
export async function activateDeployment(host: Host, name: string, folder: string): Promise<void> {
  await placeHostFiles(host, name, folder);
  await registerDeployment(host, name, folder);
  await createDeclaredPaths(host, name, folder);
  await reportEnabled(host, name, folder);
}

/** Writes the host files of a new container to their paths. May be repeated. */
export async function placeHostFiles(host: Host, name: string, folder: string): Promise<ExchangeResult> {
  const staged = await readStagedFiles(host, folder, name);
  const result = await exchangeHostFiles(host, [], staged);
  const { units } = await readCopies(folder, name);
  // Otherwise the reload for the units of the container does it.
  if (staged !== undefined && units.size === 0 && bringsUnits(staged.record)) {
    await runVisibly(host, reloadCommand);
  }
  return result;
}

/**
 * Copies the units and the tmpfiles.d file of a deployment to the folders of systemd and reloads it.
 * `deactivateDeployment` undoes all of it.
 *
 * @throws COMMAND_FAILED, UNIT_FAILED and file errors
 */
export async function registerDeployment(host: Host, name: string, folder: string): Promise<void> {
  const copies = await readCopies(folder, name);
  for (const { path, text } of listHostFiles(host, name, copies)) {
    if (text !== undefined) await writeHostFile(path, text);
  }
  const units = [...copies.units.keys()];
  if (units.length === 0) return;
  // The symlinks exist before the reload, so that one reload is enough.
  await withTemplateHint('service.template', () =>
    runProgram(host, withoutReload(buildEnableCommand(units))),
  );
  // Its result does not show the state of a single unit.
  await runVisibly(host, reloadCommand);
  await requireLoaded(host, units);
}

/**
 * Runs systemd-tmpfiles for a registered deployment, and syncs everything. This is the last step, because changes of
 * existing paths cannot be undone.
 *
 * @throws COMMAND_FAILED and file errors
 */
export async function createDeclaredPaths(host: Host, name: string, folder: string): Promise<void> {
  const paths = buildContainerPaths(host.locations, name);
  const { tmpfiles, units } = await readCopies(folder, name);
  if (tmpfiles !== undefined) {
    await withTemplateHint('tmpfiles.template', () => runVisibly(host, buildCreateCommand(paths.tmpfiles)));
  }
  if (units.size === 0 && tmpfiles === undefined) return;
  await syncDeclaredPaths(tmpfiles ?? '');
  // This sync covers all files, and the symlinks of `systemctl enable`.
  await syncFilesystemsOf([host.locations.units, host.locations.tmpfiles]);
}

/** Prints the command that has enabled the service, after that of systemd-tmpfiles: scripts expect this order. */
export async function reportEnabled(host: Host, name: string, folder: string): Promise<void> {
  const units = [...(await readCopies(folder, name)).units.keys()];
  if (units.length > 0) host.report({ kind: 'command', argv: buildEnableCommand(units) });
}

/** The deployment's copies of its units and its tmpfiles.d file. */
interface HostFileCopies {
  /** The texts by unit; a container without a service has none. */
  readonly units: ReadonlyMap<string, string>;
  readonly tmpfiles: string | undefined;
}

export async function readCopies(folder: string, name: string): Promise<HostFileCopies> {
  const { tmpfilesCopy, unitCopies } = buildDeploymentPaths(folder, name);
  const units = new Map<string, string>();
  for (const { unit, path } of unitCopies) {
    const text = await findText(path);
    if (text !== undefined) units.set(unit, text);
  }
  return { tmpfiles: await findText(tmpfilesCopy), units };
}

/**
 * Lists the paths of the host with their texts, `undefined` for a file that must not exist. The units come last, so that
 * systemd never reads one without the tmpfiles.d file.
 */
function listHostFiles(host: Host, name: string, copies: HostFileCopies) {
  const { tmpfiles, units } = buildContainerPaths(host.locations, name);
  return [
    { path: tmpfiles, text: copies.tmpfiles },
    ...units.map(({ unit, path }) => ({ path, text: copies.units.get(unit) })),
  ];
}

/**
 * Replaces the files of the host by those of another deployment; it removes a file that the other deployment does not
 * have. systemd is not reloaded yet. May be repeated.
 */
export async function replaceHostFiles(host: Host, name: string, wanted: HostFileCopies): Promise<void> {
  for (const { path, text } of listHostFiles(host, name, wanted)) {
    if (text === undefined) await removeFile(path);
    else if ((await findText(path)) !== text) await writeHostFile(path, text);
    // A crash may have left an incomplete temporary file.
    else await removeFile(temporaryPath(path));
  }
  await syncFilesystemsOf([host.locations.units, host.locations.tmpfiles]);
}

/** The units of a container that were replaced; `replaced` are the files of before. */
export interface ReplacedUnits {
  /** Of the container. */
  readonly name: string;
  readonly replaced: HostFileCopies;
  readonly wanted: HostFileCopies;
  readonly isEnabled: boolean;
}

/**
 * Reloads systemd once after units were replaced. The units of an enabled service are enabled again by their new `[Install]`
 * sections. When such a section is unchanged, symlinks that a person has added stay.
 *
 * @throws COMMAND_FAILED; UNIT_FAILED when systemd cannot load one of them
 */
export async function reloadUnits(host: Host, containers: readonly ReplacedUnits[]): Promise<void> {
  for (const { replaced, wanted, isEnabled } of containers) {
    for (const [unit, text] of isEnabled ? wanted.units : []) {
      if (installsAlike(replaced.units.get(unit) ?? '', text)) continue;
      await runProgram(host, withoutReload(['systemctl', 'reenable', unit]));
    }
  }
  await runVisibly(host, reloadCommand);
  await requireLoaded(
    host,
    containers.flatMap(({ wanted }) => [...wanted.units.keys()]),
  );
}

/** The folder does not exist on every host. */
async function writeHostFile(path: string, text: string): Promise<void> {
  await ensureDirectory(dirname(path));
  await writeFileDurably(path, text, FileMode.public);
}

/** systemctl enables units that systemd refuses; such a unit would never start. */
async function requireLoaded(host: Host, units: readonly string[]): Promise<void> {
  for (const [unit, { loadState }] of await readUnitStates(host, units)) {
    if (loadState === 'loaded') continue;
    const path = `${host.locations.units}/${unit}`;
    const { stderrTail } = await captureProgram(host, ['systemd-analyze', 'verify', '--man=no', path]);
    const reason = toPrintable(stderrTail.trim()) || `its load state is ${loadState}`;
    throw new AtomicError('UNIT_FAILED', `load ${unit}: ${reason}`, { hint: buildHint('service.template') });
  }
}

/** Messages of the programs of systemd for errors of the host, not of the image. */
const HOST_CAUSE =
  /connect to (?:system )?bus|transport endpoint|connection|timed out|failed to reload daemon|no space left|not enough space|quota|read-only file system|input\/output error/i;

/** An error of systemd about a file is a fault of the image, unless the host or a signal caused it. */
async function withTemplateHint(template: string, action: () => Promise<unknown>): Promise<void> {
  try {
    await action();
  } catch (error) {
    if (!(error instanceof AtomicError) || error.code !== 'COMMAND_FAILED') throw error;
    const isOfHost = error.details?.signal !== undefined || HOST_CAUSE.test(error.message);
    throw isOfHost ? error : rewordError(error, error.message, buildHint(template));
  }
}

function buildHint(template: string): string {
  return `It comes from ${template} in /exports of the image, and the --set values.`;
}

/**
 * Undoes `activateDeployment` from any point of it, and syncs. Files of other owners stay. Paths that systemd-tmpfiles
 * has created stay too: they may contain data of an earlier installation.
 */
export async function deactivateDeployment(host: Host, name: string): Promise<void> {
  const paths = buildContainerPaths(host.locations, name);
  for (const { path } of paths.units) await removeFile(temporaryPath(path));
  await removeFile(temporaryPath(paths.tmpfiles));
  const own = await listOwnUnits(host, name);
  if (own.length > 0)
    await disableUnits(
      host,
      own.map(({ unit }) => unit),
    );
  for (const { path } of own) await removeFile(path);
  if (await isOwnTmpfiles(host, name)) await removeFile(paths.tmpfiles);
  // Needed also without units: a crash may have come between their removal and this step.
  await runProgram(host, reloadCommand);
  await syncFilesystemsOf([host.locations.units, host.locations.tmpfiles]);
}

/** systemctl disables a unit that systemd cannot load, and then fails to stop it. Then there is nothing to do. */
async function disableUnits(host: Host, units: readonly string[]): Promise<void> {
  const result = await captureProgram(host, withoutReload(buildDisableNowCommand(units)));
  if (result.exitCode === 0) return;
  const states = [...(await readUnitStates(host, units)).values()];
  const isDone = states.every(
    ({ loadState, activeState }) => loadState !== 'loaded' && activeState === 'inactive',
  );
  if (!isDone) throw buildCommandFailed(result);
}
