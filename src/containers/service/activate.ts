/** Registers a deployment with systemd, and undoes that. */
import { basename, dirname } from 'node:path';
import { AtomicError, rewordError } from '../../base/errors.ts';
import { FileMode } from '../../base/file-mode.ts';
import {
  ensureDirectory,
  removeFile,
  syncFilesystemsOf,
  temporaryPath,
  writeFileDurably,
} from '../../host/files/durable-files.ts';
import { findText } from '../../host/files/find-file.ts';
import { dropSpare, keepSpare, restoreSpare, sparePath } from '../../host/files/spare-file.ts';
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
import { syncDeclaredPaths } from './created-paths.ts';
import { isOwnTmpfiles, listOwnUnits } from './own-files.ts';
import { adviseTemplate, requireLoaded } from './reload-units.ts';

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
    const found = await findText(path);
    if (found !== text) await keepSpare(path);
    if (text === undefined) await removeFile(path);
    else if (found !== text) await writeHostFile(path, text);
  }
  await syncFilesystemsOf([host.locations.units, host.locations.tmpfiles]);
}

/** Undoes `replaceHostFiles` from any point of it, without any space on the disk. May be repeated. */
export async function restoreHostFiles(host: Host, name: string, wanted: HostFileCopies): Promise<void> {
  for (const { path, text } of listHostFiles(host, name, wanted)) {
    // A crash may have left an incomplete temporary file.
    await removeFile(temporaryPath(path));
    if (text === undefined) await removeFile(path);
    else if ((await findText(path)) !== text && !(await restoreSpare(path, text)))
      await writeHostFile(path, text);
    await dropSpare(sparePath(path));
  }
  await syncFilesystemsOf([host.locations.units, host.locations.tmpfiles]);
}

/** The folder does not exist on every host. */
async function writeHostFile(path: string, text: string): Promise<void> {
  await ensureDirectory(dirname(path));
  await writeFileDurably(path, text, FileMode.public);
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
    throw isOfHost ? error : rewordError(error, error.message, adviseTemplate(template));
  }
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
  await forgetRemovedUnits(host);
  await syncFilesystemsOf([host.locations.units, host.locations.tmpfiles]);
}

/** The rest of an undo does not depend on it: after a failure, systemd forgets the units at its next reload. */
async function forgetRemovedUnits(host: Host): Promise<void> {
  const result = await captureProgram(host, reloadCommand);
  if (result.exitCode !== 0) host.report({ kind: 'warning', text: buildCommandFailed(result).message });
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
