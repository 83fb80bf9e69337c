/** Compares what a container has elsewhere on the host: the files of its image for the host, and its volumes. */
import { lstatSync, readFileSync } from 'node:fs';
import { AtomicError } from '../../base/errors.ts';
import { noPath, tolerateMissing } from '../../base/file-error.ts';
import { isJsonObject, tryParseJson } from '../../base/json-text.ts';
import type { Host } from '../../host/host.ts';
import type { DeploymentRecord } from '../container.ts';
import type { DeploymentPaths } from '../deployment.ts';
import { isAsRecorded, lookAtHostFile } from '../hostfiles/look-at-host-file.ts';
import { resolveRecord } from '../hostfiles/recorded-paths.ts';
import type { NewVolumes, PlannedVolume } from '../render/config/image-volumes.ts';
import { listNewVolumes, planVolumes } from '../volumes/volume-folders.ts';
import type { Drift } from './drift.ts';

export async function findHostFileDrift({ hostFiles }: DeploymentRecord): Promise<readonly Drift[]> {
  const { record } = await resolveRecord(hostFiles);
  const drifts: Drift[] = [];
  for (const path of record.paths) {
    const found = await lookAtHostFile(path);
    if (isAsRecorded(found, path, record)) continue;
    const isMissing = found.kind === 'missing';
    drifts.push({
      ...{ part: 'host file', path, state: isMissing ? 'missing' : 'edited', isTolerated: !isMissing },
      reason: isMissing ? 'it is not there' : 'it was changed by hand; atomic leaves it',
    });
  }
  return drifts;
}

/** @param deployment the active one */
export async function findVolumeDrift(
  host: Host,
  record: DeploymentRecord,
  deployment: DeploymentPaths,
): Promise<readonly Drift[]> {
  try {
    return (await planVolumesOf(host, record, deployment))
      .filter(({ isNew }) => isNew)
      .map(({ folder }) => ({
        ...{ part: 'volume', path: folder, state: 'missing', isTolerated: false },
        reason: 'it is not there, nor is its data',
      }));
  } catch (error) {
    if (!(error instanceof AtomicError) || error.code !== 'FILE_CONFLICT') throw error;
    const path = String(error.details?.path ?? '');
    const reason = 'something else is in its place';
    return [{ part: 'volume', path, state: 'replaced', reason, isTolerated: false }];
  }
}

/** The volumes that a repair makes, as an install makes them. @throws as `planVolumes` */
export async function planLostVolumes(
  host: Host,
  record: DeploymentRecord,
  deployment: DeploymentPaths,
): Promise<NewVolumes> {
  return listNewVolumes(await planVolumesOf(host, record, deployment));
}

async function planVolumesOf(
  host: Host,
  { values, volumes }: DeploymentRecord,
  deployment: DeploymentPaths,
): Promise<readonly PlannedVolume[]> {
  if (volumes.length === 0) return [];
  const isInImage = (path: string) =>
    tolerateMissing(() => lstatSync(`${deployment.rootfs}${path}`), noPath)?.isDirectory() ?? false;
  return planVolumes(
    values,
    volumes.map((path) => ({ path, isInImage: isInImage(path), missingInside: [] })),
    readUser(host, deployment.config),
  );
}

/** The user of the process has the volumes that the image does not have. */
function readUser(host: Host, config: string): PlannedVolume['owner'] {
  const text = tolerateMissing(() => readFileSync(config, 'utf8'));
  const parsed = text === undefined ? undefined : tryParseJson(text);
  const spec = isJsonObject(parsed) ? parsed.process : undefined;
  const user = isJsonObject(spec) ? spec.user : undefined;
  const { uid, gid } = isJsonObject(user) ? user : {};
  return typeof uid === 'number' && typeof gid === 'number' ? { uid, gid } : { uid: host.uid, gid: host.gid };
}
