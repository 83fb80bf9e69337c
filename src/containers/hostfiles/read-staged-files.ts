/** Reads the host files of an existing deployment, active or not. */
import { lstatSync } from 'node:fs';
import { AtomicError } from '../../base/errors.ts';
import { withFileErrors } from '../../base/file-error.ts';
import type { Host } from '../../host/host.ts';
import type { HostFileMode } from '../consent/host-file-privileges.ts';
import { buildDeploymentPaths } from '../deployment.ts';
import { readDeployment } from '../read-container.ts';
import type { StagedHostFiles } from './exchange-host-files.ts';
import { resolveRecord } from './recorded-paths.ts';

/**
 * @returns undefined when there is no such deployment, or when its `info` cannot be read: then its files on the host
 *   stay, and a warning is reported
 */
export async function readStagedFiles(
  host: Host,
  folder: string,
  name: string,
): Promise<StagedHostFiles | undefined> {
  try {
    const record = await readDeployment(host, folder, name);
    if (record === undefined) return undefined;
    const { hostFiles: root } = buildDeploymentPaths(folder, name);
    return { root, ...(await resolveRecord(record.hostFiles)) };
  } catch (error) {
    if (!(error instanceof AtomicError) || error.code !== 'CONTAINER_DAMAGED') throw error;
    const text = `The files of ${name} on the host are unknown, and stay: ${error.message}`;
    host.report({ kind: 'warning', text });
    return undefined;
  }
}

/** The host files of the folders that are deployments. */
export async function readAllStagedFiles(
  host: Host,
  folders: readonly string[],
  name: string,
): Promise<readonly StagedHostFiles[]> {
  const all: StagedHostFiles[] = [];
  for (const folder of folders) {
    const staged = await readStagedFiles(host, folder, name);
    if (staged !== undefined) all.push(staged);
  }
  return all;
}

/** The files for the consent. A container of the original has no copies of its files. */
export async function readStagedModes({
  root,
  record,
}: Pick<StagedHostFiles, 'root' | 'record'>): Promise<readonly HostFileMode[]> {
  return withFileErrors(`read ${root}`, async () =>
    record.paths.map((path) => {
      const status = lstatSync(`${root}${path}`, { throwIfNoEntry: false });
      const kind = status?.isSymbolicLink() ? 'symlink' : status?.isDirectory() ? 'directory' : 'file';
      return { path, kind, mode: status?.mode ?? 0 };
    }),
  );
}
