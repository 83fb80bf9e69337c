/**
 * Checks that the name of a container is free. A unit in `/etc/systemd/system` overrides units of the same name in all
 * other folders, and a file in `/etc/tmpfiles.d` does the same; a container must not override those of the host.
 */
import { AtomicError, type AtomicErrorOptions } from '../../base/errors.ts';
import { isNameTaken } from '../../host/files/existing-paths.ts';
import type { Host } from '../../host/host.ts';
import { describeUnits, type KnownUnit } from '../../host/systemd/systemctl.ts';
import { listTmpfilesFolders } from '../../host/systemd/systemd-tmpfiles.ts';
import { buildContainerPaths, buildDeploymentFolder, deploymentNumbers, listUnitsOf } from '../deployment.ts';
import { parseInstallNames } from '../render/unit/unit-settings.ts';
import { hasOwnUnits, listOwnUnits } from '../service/own-files.ts';

/**
 * The types of units that may be related to a service of the same name. Devices, mounts, automounts and swaps are named
 * after paths and are not related.
 */
const namedTypes = ['service', 'socket', 'timer', 'path', 'target', 'scope', 'slice'];

const otherNameHint = 'Choose another name with --name NAME.';

/**
 * Checks that the files of an install do not exist yet (compatibility N-13), and that neither systemd nor
 * systemd-tmpfiles knows the name.
 *
 * @throws FILE_CONFLICT
 */
export async function requireFreeNames(host: Host, name: string): Promise<void> {
  await requireUnknownUnits(host, name);
  await requireFreePaths(host, name);
  await requireFreeTmpfiles(host, name);
}

/**
 * Checks that no tmpfiles.d folder has a file of this name.
 *
 * @throws FILE_CONFLICT
 */
export async function requireFreeTmpfiles(host: Host, name: string): Promise<void> {
  for (const folder of listTmpfilesFolders(host.locations)) {
    const path = `${folder}/${name}.conf`;
    if (await isNameTaken(path)) {
      throw buildConflict(`Cannot install ${name}: ${path} is a file of this host`, {
        hint: otherNameHint,
        details: { path },
      });
    }
  }
}

async function requireUnknownUnits(host: Host, name: string): Promise<void> {
  const own = buildContainerPaths(host.locations, name).units;
  const units = await describeUnits(
    host,
    namedTypes.map((type) => `${name}.${type}`),
  );
  for (const unit of units) {
    // The same message as for every existing file (compatibility N-13).
    if (own.some(({ path }) => path === unit.file) && (await isNameTaken(unit.file))) continue;
    const owner = isMadeForService(host, unit, name) ? undefined : await findOwner(host, unit);
    if (owner === undefined) continue;
    throw buildConflict(`Cannot install ${name}: ${unit.name} ${owner}`, {
      hint: otherNameHint,
      details: { unit: unit.name, id: unit.id, path: unit.file },
    });
  }
}

/**
 * Checks the section `[Install]` of the unit of an image: it may give the service other names that are free or, in an
 * update, already belong to the service. It must not enable units of the host.
 *
 * @param file how errors call the template
 * @throws TEMPLATE_INVALID, FILE_CONFLICT
 */
export async function requireFreeInstallNames(
  host: Host,
  name: string,
  unit: string,
  file: string,
): Promise<void> {
  const { aliases, also } = parseInstallNames(unit);
  const entries = [
    ...aliases.map((word) => ({ key: 'Alias', word })),
    ...also.map((word) => ({ key: 'Also', word })),
  ].filter(({ word }) => !listUnitsOf(name).includes(word));
  for (const { key, word } of entries) {
    // Specifiers, quotes and escapes are refused: a template has variables.
    if (/^[A-Za-z0-9_.:@-]+\.[a-z]+$/.test(word)) continue;
    throw new AtomicError(
      'TEMPLATE_INVALID',
      `The template file '${file}' makes a unit with '${key}=${word}', which is not the plain name of a unit`,
      { hint: 'Check the template and the values of its variables.' },
    );
  }
  // systemd cannot show a template, but it knows an instance when it knows the template.
  const units = entries.map(({ word }) => word.replace(/@\./, '@atomic.'));
  const own = buildContainerPaths(host.locations, name).units;
  for (const [index, known] of (await describeUnits(host, units)).entries()) {
    if (own.some(({ unit, path }) => known.id === unit && known.file === path)) continue;
    const owner = await findOwner(host, known);
    if (owner === undefined) continue;
    const { key, word } = entries[index] ?? { key: '', word: '' };
    throw buildConflict(`Cannot install ${name}: '${key}=${word}' in its unit: ${known.name} ${owner}`, {
      hint: `It comes from ${file}, and the --set values.`,
      details: { unit: known.name, id: known.id, path: known.file },
    });
  }
}

async function requireFreePaths(host: Host, name: string): Promise<void> {
  const { units, tmpfiles, link } = buildContainerPaths(host.locations, name);
  const registered = [...units.map(({ path }) => path), tmpfiles];
  const folders = deploymentNumbers.map((number) => buildDeploymentFolder(host.locations, name, number));
  const [, other] = /^(.+)\.[01]$/.exec(name) ?? [];
  if (other !== undefined && (await isNameTaken(buildContainerPaths(host.locations, other).link))) {
    throw buildConflict(`Cannot install ${name}: the container ${other} needs ${link} for its deployments`, {
      hint: otherNameHint,
      details: { path: link, container: other },
    });
  }
  for (const path of [...registered, link, ...folders]) {
    if (!(await isNameTaken(path))) continue;
    throw buildConflict(`The file ${path} already exists.`, {
      hint:
        registered.includes(path) && (await hasOwnUnits(host, name))
          ? `Remove what is left of an earlier installation with \`atomic uninstall ${name}\`.`
          : 'Remove it, or choose another name with --name NAME.',
      details: { path },
    });
  }
}

/** An administrator may install a unit that starts the service, or a drop-in for it, before the container. */
function isMadeForService({ locations }: Host, unit: KnownUnit, name: string): boolean {
  const isPrepared = unit.loadState === 'loaded' && unit.file.startsWith(`${locations.units}/`);
  return isPrepared && unit.triggers.includes(`${name}.service`);
}

/**
 * Describes the owner of a unit.
 *
 * @returns undefined when the host has no such unit. A removed unit that systemd still remembers does not count when it
 *   does not run: an uninstalled service that had failed, or a unit whose file was removed without a reload
 */
async function findOwner(host: Host, unit: KnownUnit): Promise<string | undefined> {
  const { name, id, loadState, activeState, file, source } = unit;
  const runs = activeState !== 'inactive' && activeState !== 'failed';
  // `error`: systemd has no unit of a name that is none for it, such as a--b.slice.
  const isThere = !['loaded', 'not-found', 'error'].includes(loadState);
  const exists = file === '' ? isThere : await isNameTaken(file);
  if (!exists) return runs ? 'runs on this host' : undefined;
  const place = source === '' ? file : `made from ${source}`;
  if (loadState === 'masked') return `is masked on this host (${place})`;
  const container = await findContainer(host, unit);
  const owner = container === undefined ? 'a unit of this host' : `the unit of the container ${container}`;
  return id === name ? `is ${owner} (${place})` : `is another name of ${id}, ${owner} (${place})`;
}

/** Finds the container whose service has this name as an alias. */
async function findContainer(host: Host, { id, file }: KnownUnit): Promise<string | undefined> {
  const name = id.replace(/\.service$/, '');
  return (await listOwnUnits(host, name)).some(({ path }) => path === file) ? name : undefined;
}

function buildConflict(message: string, options: AtomicErrorOptions): AtomicError {
  return new AtomicError('FILE_CONFLICT', message, options);
}
