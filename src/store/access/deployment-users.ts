/** Finds the users other than root that need access to the files of a deployment. */
import { readdirSync, readFileSync } from 'node:fs';
import { AtomicError } from '../../base/errors.ts';
import { tolerateMissing } from '../../base/file-error.ts';
import { tryParseJson } from '../../base/json-text.ts';
import { resolveUser } from '../../image/user-lookup.ts';

const NO_USER = 0xffffffff;

/**
 * Lists the users of the host that need access to a deployment: root of its user namespace, as which runc opens the root
 * filesystem, and the user of a unit that runs programs of the deployment.
 *
 * @param checkouts folder of deployments; a unit that does not name it needs no access
 * @param deployment folder of the deployment
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

/** @returns `undefined` for a user that the host does not have yet */
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
 * Finds the user of the host to which root of a container's user namespace is mapped. runc opens the root filesystem as that
 * user.
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

/** @returns name or number of the user as which systemd runs the programs of a unit; `undefined` for the default, root */
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
