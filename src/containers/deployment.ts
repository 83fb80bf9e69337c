/**
 * The paths of a container on the disk (compatibility O-10). CHECKOUTS is `locations.checkouts`.
 *
 * ```
 * CHECKOUTS/
 *   NAME -> CHECKOUTS/NAME.0     names the active deployment; setting it is the commit point of every operation
 *   NAME.0/  NAME.1/             the two deployments
 *     rootfs/                    hard-link checkout of the image; absent when the image has no service
 *     config.json                OCI runtime configuration
 *     config.json.orig           the same as it was installed: an administrator may edit the other
 *     NAME.service               copy of the unit of that name, absent when the image has no service
 *     tmpfiles-NAME.conf         copy of the tmpfiles.d file, absent when there is nothing to declare
 *     host-files/                the files for the host as they are written, absent when there are none
 *     info                       description of the deployment; written last
 *   .NAME.0.new/  .NAME.link     a deployment and a symlink that an operation is building
 *   .NAME.0.previous/            the deployment that an update has set aside; a failed update restores it
 *   .NAME.0.old/                 a deployment that an operation is removing
 *   .NAME.link.spare             the symlink that an operation replaces
 *   .NAME.0.fix                  a file or folder that a repair is about to move into NAME.0/rootfs
 *   .atomic/locks/NAME           held by the operation on NAME (flock)
 *   .atomic/journal/NAME.json    the phase of that operation; see journal-format.ts
 * UNITS/NAME.service             e.g. /etc/systemd/system
 * TMPFILES/NAME.conf             e.g. /etc/tmpfiles.d
 * ```
 *
 * Names that begin with a dot exist only while an operation runs, or after it was killed. The names are fixed, so that
 * the next command finds them.
 */
import type { Locations } from '../host/locations.ts';

export type DeploymentNumber = 0 | 1;
export const deploymentNumbers: readonly DeploymentNumber[] = [0, 1];

/** A unit of a container: its file on the host, or the copy of a deployment. */
export interface UnitFile {
  /** With its type. */
  readonly unit: string;
  readonly path: string;
}

/** The paths of one container outside its deployments. */
interface ContainerPaths {
  readonly link: string;
  readonly newLink: string;
  readonly spareLink: string;
  readonly units: readonly UnitFile[];
  /** The path of the unit that runs the container. It is one of `units`. */
  readonly service: string;
  readonly tmpfiles: string;
}

/** The paths of one deployment. */
export interface DeploymentPaths {
  readonly folder: string;
  readonly rootfs: string;
  readonly config: string;
  readonly configCopy: string;
  readonly unitCopies: readonly UnitFile[];
  /** The copy of the unit that runs the container. It is one of `unitCopies`. */
  readonly serviceCopy: string;
  readonly tmpfilesCopy: string;
  readonly hostFiles: string;
  readonly info: string;
}

export function buildContainerPaths(locations: Locations, name: string): ContainerPaths {
  return {
    link: `${locations.checkouts}/${name}`,
    newLink: `${locations.checkouts}/.${name}.link`,
    spareLink: `${locations.checkouts}/.${name}.link.spare`,
    units: listUnitFiles(locations.units, name),
    service: `${locations.units}/${name}.service`,
    tmpfiles: `${locations.tmpfiles}/${name}.conf`,
  };
}

/**
 * Lists the units that a container may have, with their types. A container with a service has at least that unit, others have
 * none. Everything that writes, enables, compares or removes units takes them from this list.
 */
export function listUnitsOf(name: string): readonly string[] {
  return [`${name}.service`];
}

function listUnitFiles(folder: string, name: string): readonly UnitFile[] {
  return listUnitsOf(name).map((unit) => ({ unit, path: `${folder}/${unit}` }));
}

/** Pairs each unit of the host with its copy in a deployment. @param folder of the deployment */
export function pairUnits(
  { units }: Locations,
  name: string,
  folder: string,
): readonly (UnitFile & { readonly copy: string })[] {
  return listUnitFiles(units, name).map((file) => ({ ...file, copy: `${folder}/${file.unit}` }));
}

/** Builds the path of the folder of a deployment: in use, being built, set aside, or being removed. */
export function buildDeploymentFolder(
  locations: Locations,
  name: string,
  number: DeploymentNumber,
  state: 'final' | 'new' | 'previous' | 'old' | 'fix' = 'final',
): string {
  return state === 'final'
    ? `${locations.checkouts}/${name}.${number}`
    : `${locations.checkouts}/.${name}.${number}.${state}`;
}

/** @param folder a result of `buildDeploymentFolder`, or the symlink to the active deployment */
export function buildDeploymentPaths(folder: string, name: string): DeploymentPaths {
  return {
    folder,
    rootfs: `${folder}/rootfs`,
    config: `${folder}/config.json`,
    configCopy: `${folder}/config.json.orig`,
    unitCopies: listUnitFiles(folder, name),
    serviceCopy: `${folder}/${name}.service`,
    tmpfilesCopy: `${folder}/tmpfiles-${name}.conf`,
    hostFiles: `${folder}/host-files`,
    info: `${folder}/info`,
  };
}
