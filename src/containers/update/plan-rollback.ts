/** Describes what a rollback would do, as `prepareUpdate` describes an update. The deployment exists, so it is only read. */
import { lstatSync, readlinkSync } from 'node:fs';
import { withFileErrors } from '../../base/file-error.ts';
import { FileMode, PERMISSIONS } from '../../base/file-mode.ts';
import { isNameTaken } from '../../host/files/existing-paths.ts';
import { findText } from '../../host/files/find-file.ts';
import type { Host } from '../../host/host.ts';
import { listWidening, type Privilege } from '../consent/privilege.ts';
import type { DeploymentPlan, DeploymentRecord, PlannedFile } from '../container.ts';
import { buildContainerPaths, buildDeploymentFolder, buildDeploymentPaths } from '../deployment.ts';
import type { StagedHostFiles } from '../hostfiles/exchange-host-files.ts';
import { readStagedFiles } from '../hostfiles/read-staged-files.ts';
import type { PlannedHostFile } from '../render/hostfiles/host-file.ts';
import { bringsUnits } from '../render/hostfiles/host-path-rules.ts';
import { buildActivationCommands, readCopies } from '../service/activate.ts';
import { buildVolumesRoot } from '../volumes/volume-folders.ts';
import { readAsks } from './read-asks.ts';
import type { CurrentContainer } from './read-current.ts';

export interface RollbackPlan {
  readonly plan: DeploymentPlan;
  /** The privileges that only the deployment of the rollback asks for. */
  readonly widening: readonly Privilege[];
}

/** @param record of the deployment of the rollback. @throws file errors */
export async function planRollback(
  host: Host,
  current: CurrentContainer,
  record: DeploymentRecord,
): Promise<RollbackPlan> {
  const { name, active, other } = current;
  const folder = buildDeploymentFolder(host.locations, name, other);
  const [before, after] = [
    await readAsks(host, current),
    await readAsks(host, { name, active: other, other: active, record }),
  ];
  for (const side of [before, after]) {
    if (side.kind === 'unknown') host.report({ kind: 'warning', text: side.reason });
  }
  const asks = after.kind === 'known' ? after.privileges : [];
  const files = await listFiles(host, folder, name);
  const staged = await readStagedFiles(host, folder, name);
  return {
    plan: {
      ...{ name, image: record.image, deployment: folder, record, files, asks, keptFiles: [] },
      hostFiles: staged === undefined ? [] : await listHostFiles(staged),
      volumes: await listVolumes(name, record),
      commands: buildActivationCommands(files, bringsUnits(record.hostFiles)),
    },
    widening: listWidening(before.kind === 'known' ? before.privileges : [], asks),
  };
}

async function listFiles(host: Host, folder: string, name: string): Promise<readonly PlannedFile[]> {
  const { config, info } = buildDeploymentPaths(folder, name);
  const paths = buildContainerPaths(host.locations, name);
  const { tmpfiles, units } = await readCopies(folder, name);
  const found: readonly (readonly [PlannedFile['role'], string, string | undefined])[] = [
    ['config', config, await findText(config)],
    ['tmpfiles', paths.tmpfiles, tmpfiles],
    ...paths.units.map(({ unit, path }) => ['unit', path, units.get(unit)] as const),
    ['info', info, await findText(info)],
  ];
  return found.flatMap(([role, path, content]) =>
    content === undefined ? [] : [{ role, path, mode: FileMode.public, content }],
  );
}

/** A deployment of the original has no copies; a rollback to it leaves the files of the host. */
async function listHostFiles({
  root,
  record,
  written,
}: StagedHostFiles): Promise<readonly PlannedHostFile[]> {
  return withFileErrors(`read ${root}`, async () =>
    record.paths.flatMap((path) => {
      const copy = `${root}${written.get(path) ?? path}`;
      const status = lstatSync(copy, { throwIfNoEntry: false });
      if (status === undefined) return [];
      const kind = status.isSymbolicLink() ? 'symlink' : status.isDirectory() ? 'directory' : 'file';
      return [
        {
          ...{ path, kind, mode: status.mode & PERMISSIONS, uid: status.uid, gid: status.gid },
          ...{ size: status.size, sha256: kind === 'file' ? record.checksums[path] : undefined },
          ...{ target: kind === 'symlink' ? readlinkSync(copy) : undefined, content: undefined },
        },
      ];
    }),
  );
}

async function listVolumes(
  name: string,
  { volumes, values }: DeploymentRecord,
): Promise<DeploymentPlan['volumes']> {
  const root = buildVolumesRoot(name, values.STATE_DIRECTORY);
  if (root === undefined) return [];
  const planned: DeploymentPlan['volumes'][number][] = [];
  for (const path of volumes) {
    const folder = `${root}${path}`;
    planned.push({ path, folder, isNew: !(await isNameTaken(folder)) });
  }
  return planned;
}
