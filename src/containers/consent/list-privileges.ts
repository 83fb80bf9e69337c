/** Lists the privileges on the host that a deployment asks for, from its rendered files. */
import { AtomicError } from '../../base/errors.ts';
import { parseJsonObject, type Reject } from '../../base/json-text.ts';
import { toPrintable } from '../../base/printable.ts';
import { listConfigPrivileges } from './config-privileges.ts';
import { type HostFileMode, listHostFilePrivileges } from './host-file-privileges.ts';
import type { Privilege } from './privilege.ts';
import { listTmpfilesPrivileges } from './tmpfiles-privileges.ts';
import { listUnitPrivileges } from './unit-privileges.ts';

interface AskingFiles {
  /** Folder of the deployment. */
  readonly folder: string;
  /** Absolute path of the OCI runtime. */
  readonly runtime: string;
  readonly config: string | undefined;
  readonly units: readonly string[];
  readonly tmpfiles: string | undefined;
  /** The files that it puts on the host. */
  readonly hostFiles: readonly HostFileMode[];
  /** Folders of the host that belong to the container. */
  readonly ownFolders: readonly string[];
}

const maxLength = 4 * 1024 * 1024;

/** @throws CONFIG_INVALID when the configuration does not have the shape of the specification */
export function listPrivileges(deployment: AskingFiles): readonly Privilege[] {
  const { folder, runtime, config, units, tmpfiles, hostFiles, ownFolders } = deployment;
  const reject: Reject = (problem) =>
    new AtomicError('CONFIG_INVALID', `Invalid configuration file.  ${toPrintable(problem)}`, {
      hint: 'It comes from config.json or config.json.template in /exports of the image, and the --set values.',
    });
  return [
    ...(config === undefined
      ? []
      : listConfigPrivileges(parseJsonObject(config, maxLength, reject), ownFolders, reject)),
    ...units.flatMap((unit) => listUnitPrivileges(unit, runtime, folder)),
    ...(tmpfiles === undefined ? [] : listTmpfilesPrivileges(tmpfiles, ownFolders)),
    ...listHostFilePrivileges(hostFiles),
  ];
}
