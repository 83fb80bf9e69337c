/** The privileges on the host that an installed container asks for, from the files of its deployment. */
import { AtomicError } from '../../base/errors.ts';
import { findText } from '../../host/files/find-file.ts';
import type { Host } from '../../host/host.ts';
import { listPrivileges } from '../consent/list-privileges.ts';
import { listOwnFolders } from '../consent/own-folders.ts';
import type { Privilege } from '../consent/privilege.ts';
import { buildDeploymentFolder, buildDeploymentPaths } from '../deployment.ts';
import { readStagedModes } from '../hostfiles/read-staged-files.ts';
import { readCopies } from '../service/activate.ts';
import type { CurrentContainer } from './read-current.ts';

/** `unknown` when a file of the deployment cannot be parsed; `reason` is a sentence for a person. */
export type InstalledAsks =
  | { readonly kind: 'known'; readonly privileges: readonly Privilege[] }
  | { readonly kind: 'unknown'; readonly reason: string };

/** Reads the privileges that the container asks for now. */
export async function readAsks(
  host: Host,
  { name, active, record }: CurrentContainer,
): Promise<InstalledAsks> {
  const folder = buildDeploymentFolder(host.locations, name, active);
  const { units, tmpfiles } = await readCopies(folder, name);
  const staged = { root: buildDeploymentPaths(folder, name).hostFiles, record: record.hostFiles };
  const config = await findText(buildDeploymentPaths(folder, name).config);
  try {
    const privileges = listPrivileges({
      ...{ folder, runtime: record.runtime, config, tmpfiles, units: [...units.values()] },
      ...{ hostFiles: await readStagedModes(staged), ownFolders: listOwnFolders(name, record) },
    });
    return { kind: 'known', privileges };
  } catch (error) {
    if (!(error instanceof AtomicError) || error.code !== 'CONFIG_INVALID') throw error;
    return { kind: 'unknown', reason: `What ${name} asks of the host now is unknown: ${error.message}` };
  }
}
