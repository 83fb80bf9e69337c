/** The container that an update or a rollback is about to change. */
import { resolve } from 'node:path';
import { AtomicError } from '../../base/errors.ts';
import { isNameTaken } from '../../host/files/existing-paths.ts';
import { findText } from '../../host/files/find-file.ts';
import type { Host } from '../../host/host.ts';
import { shortenUnit } from '../../host/systemd/systemctl.ts';
import { readUnitStates } from '../../host/systemd/unit-state.ts';
import type { DeploymentRecord } from '../container.ts';
import {
  buildContainerPaths,
  buildDeploymentFolder,
  buildDeploymentPaths,
  type DeploymentNumber,
  deploymentNumbers,
  listUnitsOf,
  pairUnits,
} from '../deployment.ts';
import { compareWithCopy, isMarkedFor } from '../file-condition.ts';
import { resolveRecord } from '../hostfiles/recorded-paths.ts';
import { buildContainerNotFound, findLinkTarget, readContainer } from '../read-container.ts';
import type { ContainerName } from '../render/container-name.ts';
import { readCopies } from '../service/activate.ts';
import { listRunningUnits } from '../service/running-units.ts';

export interface CurrentContainer {
  readonly name: ContainerName;
  /** The deployment that the symlink names, and the other one. */
  readonly active: DeploymentNumber;
  readonly other: DeploymentNumber;
  readonly record: DeploymentRecord;
}

/**
 * @throws CONTAINER_NOT_FOUND; CONTAINER_DAMAGED when its files cannot be read
 */
export async function readCurrent(host: Host, name: ContainerName): Promise<CurrentContainer> {
  const state = await readContainer(host, name);
  if (state.kind === 'absent') throw await buildContainerNotFound(host, name);
  if (state.kind === 'damaged') throw buildDamaged(name, state.reason);
  const target = await findLinkTarget(buildContainerPaths(host.locations, name).link);
  const active = deploymentNumbers.find(
    (number) =>
      target !== undefined &&
      resolve(host.locations.checkouts, target) === buildDeploymentFolder(host.locations, name, number),
  );
  if (active === undefined)
    throw buildDamaged(name, `its symlink names ${target}, which is no deployment of it`);
  const { record: hostFiles } = await resolveRecord(state.record.hostFiles);
  return { name, active, other: active === 0 ? 1 : 0, record: { ...state.record, hostFiles } };
}

type Verb = 'updating' | 'rolling back';

/**
 * Checks that the units and the tmpfiles.d file on the host are those of the deployment: an update would replace the
 * changes of a person.
 *
 * @throws FILE_CONFLICT; CONTAINER_DAMAGED when the deployment has no copy of its unit
 */
export async function requireUnchangedFiles(
  host: Host,
  { name, active, record }: CurrentContainer,
  verb: Verb,
): Promise<void> {
  const paths = buildContainerPaths(host.locations, name);
  const copies = buildDeploymentPaths(buildDeploymentFolder(host.locations, name, active), name);
  const { serviceCopy } = copies;
  if (record.hasContainerService && !(await isNameTaken(serviceCopy))) {
    const hint = `If ${paths.service} is right, run \`cp ${paths.service} ${serviceCopy}\`.`;
    throw buildIncomplete(name, serviceCopy, verb, hint);
  }
  const files = [
    ...pairUnits(host.locations, name, copies.folder).map(({ unit, path, copy }) => ({
      ...{ path, copy },
      advice: {
        edited: `Put your changes into a drop-in with \`systemctl edit ${shortenUnit(unit)}\`. `,
        masked: `Run \`systemctl unmask ${shortenUnit(unit)}\`. `,
      },
    })),
    {
      ...{ path: paths.tmpfiles, copy: copies.tmpfilesCopy },
      advice: { edited: 'Put your lines into another file of /etc/tmpfiles.d. ', masked: '' },
    },
  ];
  for (const { path, copy, advice } of files) {
    const expected = await findText(copy);
    const found = compareWithCopy(path, expected, isMarkedFor(host, name));
    if (found === 'as installed') continue;
    const isOurs = expected !== undefined && found !== 'replaced';
    const restore = isOurs
      ? `Restore the file: atomic containers verify --repair ${name}`
      : expected === undefined
        ? `Remove ${path}.`
        : `Restore the file: cp --remove-destination ${copy} ${path}`;
    throw new AtomicError(
      'FILE_CONFLICT',
      `${verb} ${name}: ${path} is not the file of its deployment: ${problems[found]}`,
      { hint: `${{ missing: '', replaced: advice.edited, ...advice }[found]}${restore}`, details: { path } },
    );
  }
}

const problems = {
  missing: 'it is not there',
  masked: 'it is masked',
  edited: 'it was changed by hand',
  replaced: 'it was changed by hand',
} as const;

/**
 * Checks that systemd loads the units: otherwise neither the new nor the old service would start. A drop-in may have a
 * mistake, and `requireUnchangedFiles` sees only one of the places where a unit can be masked.
 *
 * @throws UNIT_FAILED
 */
export async function requireLoadable(
  host: Host,
  { name, active }: CurrentContainer,
  verb: Verb,
): Promise<void> {
  const { units } = await readCopies(buildDeploymentFolder(host.locations, name, active), name);
  for (const [unit, { loadState }] of await readUnitStates(host, [...units.keys()])) {
    if (loadState === 'loaded') continue;
    throw new AtomicError('UNIT_FAILED', `${verb} ${name}: the load state of ${unit} is ${loadState}`, {
      hint: `\`systemctl status ${unit}\` and \`systemctl cat ${unit}\` show why. Correct it, and run \`systemctl daemon-reload\`.`,
    });
  }
}

/**
 * Checks before a rollback that a deployment has the files without which its service cannot start.
 *
 * @throws CONTAINER_DAMAGED
 */
export async function requireComplete(folder: string, { name }: CurrentContainer): Promise<void> {
  const copies = buildDeploymentPaths(folder, name);
  const hint = `Update ${name} to the image of that deployment: atomic containers update --rebase IMAGE ${name}`;
  for (const path of [copies.serviceCopy, copies.config, copies.rootfs]) {
    if (!(await isNameTaken(path))) throw buildIncomplete(name, path, 'rolling back', hint);
  }
}

function buildIncomplete(name: string, path: string, verb: Verb, hint: string): AtomicError {
  return new AtomicError('CONTAINER_DAMAGED', `${verb} ${name}: there is no ${path}`, {
    hint,
    details: { path },
  });
}

/**
 * Checks that both deployments have a service, or none. A new unit could use a name of the host, and a removed unit
 * would leave its enabled symlinks.
 *
 * @throws EXPORTS_INVALID
 */
export function requireSameKind(
  { name, record }: CurrentContainer,
  wanted: DeploymentRecord,
  verb: Verb,
): void {
  if (record.hasContainerService === wanted.hasContainerService) return;
  const [had, has] = record.hasContainerService ? ['a', 'no'] : ['no', 'a'];
  throw new AtomicError(
    'EXPORTS_INVALID',
    `${verb} ${name}: it has ${had} service, and the image ${wanted.image} has ${has} service`,
    { hint: `Uninstall it with \`atomic uninstall ${name}\`, and install the image.` },
  );
}

/**
 * Lists the running units that stop with the container, as `listRunningUnits`. For a container without a service, a
 * unit of its name belongs to the host.
 */
export async function listRunning(
  host: Host,
  { name, record }: CurrentContainer,
): Promise<readonly string[]> {
  return record.hasContainerService ? listRunningUnits(host, listUnitsOf(name)) : [];
}

function buildDamaged(name: string, reason: string): AtomicError {
  return new AtomicError('CONTAINER_DAMAGED', `Cannot update ${name}: ${reason}`, {
    hint: `Remove what is left of it with \`atomic uninstall ${name}\`, and install it again.`,
  });
}
