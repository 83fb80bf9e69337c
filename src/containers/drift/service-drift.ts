/** Compares what the service manager has of a container: unit, tmpfiles.d file, enablement, drop-ins, declared folders. */

import { isNameTaken } from '../../host/files/existing-paths.ts';
import { findText, listFolder } from '../../host/files/find-file.ts';
import type { Host } from '../../host/host.ts';
import { listCreatedFolders } from '../../host/systemd/tmpfiles-lines.ts';
import { buildContainerPaths, type DeploymentPaths, pairUnits } from '../deployment.ts';
import { compareWithCopy, type FileCondition, isEnabledAtBoot, isMarkedFor } from '../file-condition.ts';
import type { Drift } from './drift.ts';

/** @param copies the active deployment. @throws file errors */
export async function findServiceDrift(
  host: Host,
  name: string,
  copies: DeploymentPaths,
): Promise<readonly Drift[]> {
  const paths = buildContainerPaths(host.locations, name);
  const compare = (path: string, copy: string | undefined) =>
    compareWithCopy(path, copy, isMarkedFor(host, name));
  const found: Drift[] = [];
  for (const { unit, path, copy } of pairUnits(host.locations, name, copies.folder)) {
    const text = await findText(copy);
    if (text === undefined) continue;
    const condition = compare(path, text);
    const isDisabled = condition !== 'missing' && isEnabledAtBoot(host, unit, text) === false;
    found.push(
      ...describeFile('unit', path, condition),
      ...(await listDropIns(host, unit)),
      ...(isDisabled ? [buildDisabled(unit)] : []),
    );
  }
  const tmpfiles = await findText(copies.tmpfilesCopy);
  return [
    ...found,
    ...describeFile('tmpfiles', paths.tmpfiles, compare(paths.tmpfiles, tmpfiles)),
    ...(await listMissingFolders(tmpfiles ?? '')),
  ];
}

/** Describes a file that has a copy in the deployment. */
export function describeFile(
  part: 'unit' | 'tmpfiles' | 'config',
  path: string,
  state: FileCondition,
): readonly Drift[] {
  if (state === 'as installed') return [];
  return [{ part, path, state, reason: reasons[state], isTolerated: state === 'masked' }];
}

const reasons: Readonly<Record<Exclude<FileCondition, 'as installed'>, string>> = {
  missing: 'it is not there',
  masked: 'an administrator has masked it',
  edited: 'it was changed by hand',
  replaced: 'another file is in its place',
};

function buildDisabled(unit: string): Drift {
  return {
    ...{ part: 'service', path: unit, state: 'disabled', isTolerated: true },
    reason: 'it does not start at boot',
  };
}

/** Drop-ins of an administrator, also those of `systemctl set-property`. */
async function listDropIns({ locations }: Host, unit: string): Promise<readonly Drift[]> {
  const folders = [locations.units, `${locations.units}.control`, ...runtimeUnits].map(
    (folder) => `${folder}/${unit}.d`,
  );
  const found: Drift[] = [];
  for (const folder of folders) {
    for (const { name: file } of await listFolder(folder)) {
      if (!file.endsWith('.conf')) continue;
      const path = `${folder}/${file}`;
      const reason = 'an administrator has added it';
      found.push({ part: 'drop-in', path, state: 'added', reason, isTolerated: true });
    }
  }
  return found;
}

const runtimeUnits = ['/run/systemd/system', '/run/systemd/system.control'];

/** Folders that systemd-tmpfiles makes at boot, and that the service may need before. */
async function listMissingFolders(tmpfiles: string): Promise<readonly Drift[]> {
  const missing: Drift[] = [];
  for (const path of new Set(listCreatedFolders(tmpfiles))) {
    if (await isNameTaken(path)) continue;
    const reason = 'the tmpfiles.d file declares it';
    missing.push({ part: 'folder', path, state: 'missing', reason, isTolerated: false });
  }
  return missing;
}
