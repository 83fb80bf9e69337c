/** Removes the units and the tmpfiles.d file of a container, unless a person has changed them. */
import { readFile } from 'node:fs/promises';
import { withFileErrors } from '../../base/file-error.ts';
import { removeFile, syncFilesystemsOf, temporaryPath } from '../../host/files/durable-files.ts';
import { isNameTaken } from '../../host/files/existing-paths.ts';
import type { Host } from '../../host/host.ts';
import { buildCommandFailed, captureProgram, runVisibly } from '../../host/run-program.ts';
import { removeStaleState } from '../../host/runtime/runtime.ts';
import { reloadCommand } from '../../host/systemd/systemctl.ts';
import { buildRemoveCommand } from '../../host/systemd/systemd-tmpfiles.ts';
import { listEmptiedFolders } from '../../host/systemd/tmpfiles-lines.ts';
import { isActive, readUnitState } from '../../host/systemd/unit-state.ts';
import { buildContainerPaths } from '../deployment.ts';
import { listFoldersOfContainer } from '../list-deployments.ts';
import { stopOrphan } from '../service/container-service.ts';
import { removeCreatedFolders, syncDeclaredPaths } from '../service/created-paths.ts';
import { isOwnTmpfiles, listOwnUnits } from '../service/own-files.ts';
import type { Step } from '../step.ts';

/** @throws COMMAND_FAILED, file errors */
export async function unregister(host: Host, step: Step<'unregister'>): Promise<void> {
  await removeUnits(host, step);
  await removeTmpfiles(host, step.container);
  await syncFilesystemsOf([host.locations.units, host.locations.tmpfiles]);
}

async function removeUnits(host: Host, step: Step<'unregister'>): Promise<void> {
  const { units } = buildContainerPaths(host.locations, step.container);
  for (const { path } of units) await removeFile(temporaryPath(path));
  const own = (await listOwnUnits(host, step.container)).map(({ path }) => path);
  for (const { path } of units) {
    if (own.includes(path)) await removeFile(path);
    else await reportForeignFile(host, path);
  }
  // Needed also without the files: a crash may have come between their removal and this step.
  if (own.length === 0 && !step.hasService) return;
  await runVisibly(host, reloadCommand);
  for (const { unit } of units) await forgetUnit(host, unit, step);
}

async function forgetUnit(host: Host, unit: string, { container: name, runtime }: Step<'unregister'>) {
  const state = await readUnitState(host, unit);
  // The host has its own file of this name, or a person has edited that of atomic.
  if (state.loadState !== 'not-found') return;
  if (isActive(state)) {
    await stopOrphan(host, unit);
    if (runtime !== null) await removeStaleState(host, runtime, name);
  }
  // systemd remembers a failed unit after its file is gone. `reset-failed` fails when there is nothing to forget.
  await captureProgram(host, ['systemctl', 'reset-failed', unit]);
}

/** A folder below `/run` is emptied and removed only when `info` records that the install has created it. */
async function removeTmpfiles(host: Host, name: string): Promise<void> {
  const { tmpfiles } = buildContainerPaths(host.locations, name);
  await removeFile(temporaryPath(tmpfiles));
  if (!(await isOwnTmpfiles(host, name))) return reportForeignFile(host, tmpfiles);
  const text = await withFileErrors(`read ${tmpfiles}`, () => readFile(tmpfiles, 'utf8'));
  const created = await listFoldersOfContainer(host, name);
  const spared = listEmptiedFolders(text).filter(
    (path) => path.startsWith('/run/') && !created.includes(path),
  );
  await runTmpfilesRemove(host, tmpfiles, spared);
  await removeCreatedFolders(host, tmpfiles, created);
  // Before the file that names them is removed.
  await syncDeclaredPaths(text);
  await removeFile(tmpfiles);
}

/** A failed removal is reported, and the uninstall continues (compatibility U-01). */
async function runTmpfilesRemove(host: Host, tmpfiles: string, spared: readonly string[]): Promise<void> {
  host.report({ kind: 'command', argv: buildRemoveCommand(tmpfiles) });
  const result = await captureProgram(host, buildRemoveCommand(tmpfiles, spared));
  if (result.exitCode !== 0) host.report({ kind: 'warning', text: buildCommandFailed(result).message });
}

async function reportForeignFile(host: Host, path: string): Promise<void> {
  if (!(await isNameTaken(path))) return;
  host.report({ kind: 'notice', text: `Will not delete ${path} as it was manually modified.` });
}
