/** Registers a deployment with systemd, and undoes that. */
import { dirname } from 'node:path';
import { AtomicError, rewordError } from '../../base/errors.ts';
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
import type { Locations } from '../../host/locations.ts';
import { buildCommandFailed, captureProgram, runProgram, runVisibly } from '../../host/run-program.ts';
import {
  buildDisableNowCommand,
  buildEnableCommand,
  reloadCommand,
  withoutReload,
} from '../../host/systemd/systemctl.ts';
import { buildCreateCommand } from '../../host/systemd/systemd-tmpfiles.ts';
import { readUnitStates } from '../../host/systemd/unit-state.ts';
import { buildContainerPaths, buildDeploymentPaths } from '../deployment.ts';
import { type ExchangeResult, exchangeHostFiles } from '../hostfiles/exchange-host-files.ts';
import { readStagedFiles } from '../hostfiles/read-staged-files.ts';
import { bringsUnits } from '../render/hostfiles/host-path-rules.ts';
import { installsAlike } from '../render/unit/install-section.ts';
import { syncDeclaredPaths } from './created-paths.ts';
import { isOwnTmpfiles, isOwnUnit } from './own-files.ts';

interface ActivationNeeds {
  readonly hasUnit: boolean;
  readonly hasTmpfiles: boolean;
  /** Whether units are among the host files. */
  readonly bringsUnits: boolean;
}

/**
 * The programs that activate a new container, in their order; the service is enabled and not started (compatibility
 * N-10).
 */
export function buildActivationCommands(
  locations: Locations,
  name: string,
  { hasUnit, hasTmpfiles, bringsUnits }: ActivationNeeds,
): readonly (readonly string[])[] {
  const { tmpfiles } = buildContainerPaths(locations, name);
  return [
    ...(hasUnit || bringsUnits ? [reloadCommand] : []),
    ...(hasTmpfiles ? [buildCreateCommand(tmpfiles)] : []),
    ...(hasUnit ? [buildEnableCommand(name)] : []),
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
  const { unit } = await readCopies(folder, name);
  // Otherwise the reload for the unit of the container does it.
  if (staged !== undefined && unit === undefined && bringsUnits(staged.record)) {
    await runVisibly(host, reloadCommand);
  }
  return result;
}

/**
 * Copies the unit and the tmpfiles.d file of a deployment to the folders of systemd and reloads it. The unit comes last,
 * so that systemd never reads it without the other file. `deactivateDeployment` undoes all of it.
 *
 * @throws COMMAND_FAILED, UNIT_FAILED and file errors
 */
export async function registerDeployment(host: Host, name: string, folder: string): Promise<void> {
  const paths = buildContainerPaths(host.locations, name);
  const { tmpfiles, unit } = await readCopies(folder, name);
  if (tmpfiles !== undefined) await writeHostFile(paths.tmpfiles, tmpfiles);
  if (unit === undefined) return;
  await writeHostFile(paths.unit, unit);
  // The symlinks exist before the reload, so that one reload is enough.
  await withTemplateHint('service.template', () => runProgram(host, withoutReload(buildEnableCommand(name))));
  // Its result does not show the state of a single unit.
  await runVisibly(host, reloadCommand);
  await requireLoaded(host, name, paths.unit);
}

/**
 * Runs systemd-tmpfiles for a registered deployment, and syncs everything. This is the last step, because changes of
 * existing paths cannot be undone.
 *
 * @throws COMMAND_FAILED and file errors
 */
export async function createDeclaredPaths(host: Host, name: string, folder: string): Promise<void> {
  const paths = buildContainerPaths(host.locations, name);
  const { tmpfiles, unit } = await readCopies(folder, name);
  if (tmpfiles !== undefined) {
    await withTemplateHint('tmpfiles.template', () => runVisibly(host, buildCreateCommand(paths.tmpfiles)));
  }
  if (unit === undefined && tmpfiles === undefined) return;
  await syncDeclaredPaths(tmpfiles ?? '');
  // This sync covers both files, and the symlinks of `systemctl enable`.
  await syncFilesystemsOf([host.locations.units, host.locations.tmpfiles]);
}

/** Prints the command that has enabled the service, after that of systemd-tmpfiles: scripts expect this order. */
export async function reportEnabled(host: Host, name: string, folder: string): Promise<void> {
  const { unit } = await readCopies(folder, name);
  if (unit !== undefined) host.report({ kind: 'command', argv: buildEnableCommand(name) });
}

/** Reads the deployment's copies of the unit and the tmpfiles.d file; `undefined` for a missing file. */
interface HostFileCopies {
  readonly unit: string | undefined;
  readonly tmpfiles: string | undefined;
}

export async function readCopies(folder: string, name: string): Promise<HostFileCopies> {
  const { tmpfilesCopy, unitCopy } = buildDeploymentPaths(folder, name);
  return { tmpfiles: await findText(tmpfilesCopy), unit: await findText(unitCopy) };
}

/**
 * Replaces the files of the host by those of another deployment; it removes a file that the other deployment does not
 * have. systemd is not reloaded yet. May be repeated.
 */
export async function replaceHostFiles(host: Host, name: string, wanted: HostFileCopies): Promise<void> {
  const paths = buildContainerPaths(host.locations, name);
  for (const [path, text] of [
    [paths.tmpfiles, wanted.tmpfiles],
    [paths.unit, wanted.unit],
  ] as const) {
    if (text === undefined) await removeFile(path);
    else if ((await findText(path)) !== text) await writeHostFile(path, text);
    // A crash may have left an incomplete temporary file.
    else await removeFile(temporaryPath(path));
  }
  await syncFilesystemsOf([host.locations.units, host.locations.tmpfiles]);
}

/** A unit that was replaced; `replaced` are the files of before. */
export interface ReplacedUnit {
  readonly name: string;
  readonly replaced: HostFileCopies;
  readonly wanted: HostFileCopies;
  readonly isEnabled: boolean;
}

/**
 * Reloads systemd once after units were replaced. An enabled service is enabled again by the `[Install]` section of the new
 * unit. When that section is unchanged, symlinks that a person has added stay.
 *
 * @throws COMMAND_FAILED; UNIT_FAILED when systemd cannot load one of them
 */
export async function reloadUnits(host: Host, units: readonly ReplacedUnit[]): Promise<void> {
  for (const { name, replaced, wanted, isEnabled } of units) {
    if (!isEnabled || wanted.unit === undefined || installsAlike(replaced.unit ?? '', wanted.unit)) continue;
    await runProgram(host, withoutReload(['systemctl', 'reenable', `${name}.service`]));
  }
  await runVisibly(host, reloadCommand);
  for (const { name, wanted } of units) {
    if (wanted.unit !== undefined) {
      await requireLoaded(host, name, buildContainerPaths(host.locations, name).unit);
    }
  }
}

/** The folder does not exist on every host. */
async function writeHostFile(path: string, text: string): Promise<void> {
  await ensureDirectory(dirname(path));
  await writeFileDurably(path, text, 0o644);
}

/** systemctl enables units that systemd refuses; such a service would never start. */
async function requireLoaded(host: Host, name: string, unit: string): Promise<void> {
  const loadState = (await readUnitStates(host, [name])).get(name)?.loadState;
  if (loadState === 'loaded') return;
  const { stderrTail } = await captureProgram(host, ['systemd-analyze', 'verify', '--man=no', unit]);
  const reason = toPrintable(stderrTail.trim()) || `its load state is ${loadState}`;
  throw new AtomicError('UNIT_FAILED', `load ${name}.service: ${reason}`, {
    hint: buildHint('service.template'),
  });
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
  await removeFile(temporaryPath(paths.unit));
  await removeFile(temporaryPath(paths.tmpfiles));
  if (await isOwnUnit(host, name)) {
    await disableService(host, name);
    await removeFile(paths.unit);
  }
  if (await isOwnTmpfiles(host, name)) await removeFile(paths.tmpfiles);
  // Needed also without a unit: a crash may have come between its removal and this step.
  await runProgram(host, reloadCommand);
  await syncFilesystemsOf([host.locations.units, host.locations.tmpfiles]);
}

/** systemctl disables a unit that systemd cannot load, and then fails to stop it. Then there is nothing to do. */
async function disableService(host: Host, name: string): Promise<void> {
  const result = await captureProgram(host, withoutReload(buildDisableNowCommand(name)));
  if (result.exitCode === 0) return;
  const state = (await readUnitStates(host, [name])).get(name);
  if (state?.loadState !== 'loaded' && state?.activeState === 'inactive') return;
  throw buildCommandFailed(result);
}
