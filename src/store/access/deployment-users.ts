/** Who reaches the files of a deployment from outside, beside root. */
import { readdirSync, readFileSync } from 'node:fs';
import { AtomicError } from '../../base/errors.ts';
import { tolerateMissing } from '../../base/file-error.ts';
import { tryParseJson } from '../../base/json-text.ts';
import { resolveUser } from '../../image/user-lookup.ts';

const NO_USER = 0xffffffff;

/**
 * Lists the users of the host who need a way to a deployment: root of its user namespace, as whom runc looks for the root
 * filesystem, and the user of a unit that runs programs of the deployment itself.
 *
 * @param checkouts folder that the unit must name; a unit that does not needs no way there
 * @param deployment its folder
 */
export function listDeploymentUsers(checkouts: string, deployment: string): readonly number[] {
  const root = findMappedRoot(tryParseJson(readText(`${deployment}/config.json`)));
  const units = readdirSync(deployment).filter((name) => name.endsWith('.service'));
  const users = units
    .map((name) => readText(`${deployment}/${name}`))
    .filter((unit) => unit.includes(`${checkouts}/`))
    .map((unit) => findUserId(findUnitUser(unit)));
  return [root, ...users].filter((user): user is number => user !== undefined && user !== 0);
}

/** One that this host does not know (yet) cannot be let through. */
function findUserId(user: string | undefined): number | undefined {
  if (user === undefined) return undefined;
  try {
    return resolveUser(user, { passwd: readText('/etc/passwd'), group: '' }).uid;
  } catch (error) {
    if (error instanceof AtomicError) return undefined;
    throw error;
  }
}

function readText(path: string): string {
  return tolerateMissing(() => readFileSync(path, 'utf8'), ['ENOENT', 'EISDIR']) ?? '';
}

/**
 * Finds the user of the host that root of a container's own user namespace is. runc looks for the root filesystem as
 * that user.
 *
 * @param config value of a `config.json`
 * @returns `undefined` when there is no such namespace, root is not mapped, or is root of the host
 */
export function findMappedRoot(config: unknown): number | undefined {
  const linux = readKey(config, 'linux');
  const namespaces = readKey(linux, 'namespaces');
  const mappings = readKey(linux, 'uidMappings');
  if (!Array.isArray(namespaces) || !Array.isArray(mappings)) return undefined;
  if (!namespaces.some((namespace) => readKey(namespace, 'type') === 'user')) return undefined;
  const root = mappings.find((mapping) => readKey(mapping, 'containerID') === 0);
  const user = readKey(root, 'hostID');
  return typeof user === 'number' && Number.isInteger(user) && user > 0 && user < NO_USER ? user : undefined;
}

function readKey(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return (value as Readonly<Record<string, unknown>>)[key];
}

/** @returns the user that systemd runs the programs of a unit as, a name or a number; `undefined` for the default, root */
export function findUnitUser(unit: string): string | undefined {
  let section = '';
  let user = '';
  for (const line of unit.split('\n')) {
    section = /^\s*\[(.*)\]\s*$/.exec(line)?.[1] ?? section;
    const value = section === 'Service' ? /^\s*User\s*=(.*)$/.exec(line)?.[1] : undefined;
    if (value !== undefined) user = value.trim();
  }
  return user === '' ? undefined : user;
}
