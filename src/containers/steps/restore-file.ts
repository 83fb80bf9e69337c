/** Steps of a repair: each leads to the file, or the symlinks, that an install makes. */
import { linkSync, lstatSync } from 'node:fs';
import { dirname } from 'node:path';
import { AtomicError } from '../../base/errors.ts';
import { isErrno, withFileErrors } from '../../base/file-error.ts';
import { FileMode } from '../../base/file-mode.ts';
import {
  ensureDirectory,
  removeFile,
  syncDirectory,
  syncFilesystemsOf,
  temporaryPath,
  writeFileDurably,
} from '../../host/files/durable-files.ts';
import { findText } from '../../host/files/find-file.ts';
import type { Host } from '../../host/host.ts';
import { runProgram } from '../../host/run-program.ts';
import { buildEnableCommand, withoutReload } from '../../host/systemd/systemctl.ts';
import {
  buildContainerPaths,
  buildDeploymentFolder,
  buildDeploymentPaths,
  pairUnits,
} from '../deployment.ts';
import { readCopies } from '../service/activate.ts';
import type { Step } from '../step.ts';

type Restoration = Omit<Step<'restore'>, 'step'>;

/** Writes a file again. An edited file gets a second name first, so that nothing of a person is lost. */
export async function restoreFile(host: Host, restoration: Restoration): Promise<void> {
  for (const place of listPlaces(host, restoration)) await restorePlace(host, place);
}

async function restorePlace(host: Host, { path, copy }: RestoredFile): Promise<void> {
  const text = await findText(copy);
  // The deployment does not exist any more.
  if (text === undefined) return;
  if ((await findText(path)) === text) return removeFile(temporaryPath(path));
  await ensureDirectory(dirname(path));
  if (await keepEdited(path)) {
    host.report({ kind: 'notice', text: `The edited file is kept as ${keptPath(path)}` });
  }
  await writeFileDurably(path, text, FileMode.public);
  await syncDirectory(dirname(path));
}

/**
 * Checks before a repair that an edited file can be kept.
 *
 * @throws FILE_CONFLICT
 */
export async function requireFreeKept(host: Host, restoration: Restoration): Promise<void> {
  for (const { path } of listPlaces(host, restoration)) requireFreeKeptPath(path);
}

function requireFreeKeptPath(path: string): void {
  const kept = keptPath(path);
  const isTaken = lstatSync(kept, { throwIfNoEntry: false }) !== undefined;
  if (!isTaken || lstatSync(path, { throwIfNoEntry: false }) === undefined) return;
  throw new AtomicError(
    'FILE_CONFLICT',
    `restore ${path}: the edited file would be kept as ${kept}, which exists`,
    {
      hint: `Move ${kept} away, and repeat the command.`,
      details: { path: kept },
    },
  );
}

/** systemd and systemd-tmpfiles ignore files of this name. */
function keptPath(path: string): string {
  return `${path}.atomic-old`;
}

/** @returns whether there is a file. When the step is repeated, the file has its second name already. */
async function keepEdited(path: string): Promise<boolean> {
  return withFileErrors(`keep ${path}`, async () => {
    try {
      linkSync(path, keptPath(path));
      return true;
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return false;
      const isKept = isErrno(error, 'EEXIST') && lstatSync(path).ino === lstatSync(keptPath(path)).ino;
      if (!isKept) throw error;
      return true;
    }
  });
}

interface RestoredFile {
  readonly path: string;
  readonly copy: string;
}

function listPlaces({ locations }: Host, { container, number, file }: Restoration): readonly RestoredFile[] {
  const paths = buildContainerPaths(locations, container);
  const deployment = buildDeploymentPaths(buildDeploymentFolder(locations, container, number), container);
  switch (file) {
    case 'unit':
      return pairUnits(locations, container, deployment.folder);
    case 'tmpfiles':
      return [{ path: paths.tmpfiles, copy: deployment.tmpfilesCopy }];
    case 'config':
      return [{ path: deployment.config, copy: deployment.configCopy }];
  }
}

/** Makes the symlinks; systemd reads them at the next reload. */
export async function enableService(host: Host, name: string): Promise<void> {
  const { units } = await readCopies(buildContainerPaths(host.locations, name).link, name);
  if (units.size === 0) return;
  await runProgram(host, withoutReload(buildEnableCommand([...units.keys()])));
  await syncFilesystemsOf([host.locations.units]);
}
