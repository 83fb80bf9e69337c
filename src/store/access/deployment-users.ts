/** Who reaches the files of a deployment from outside, beside root. */
import { readdirSync, readFileSync } from 'node:fs';
import { AtomicError } from '../../base/errors.ts';
import { isErrno } from '../../base/file-error.ts';
import { tryParseJson } from '../../base/json-text.ts';
import { resolveUser } from '../../image/user-lookup.ts';
import { findUnitUser } from './unit-user.ts';
import { findMappedRoot } from './user-namespace.ts';

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
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'EISDIR')) return '';
    throw error;
  }
}
