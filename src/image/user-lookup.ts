import { AtomicError } from '../base/errors.ts';
import { toPrintable } from '../base/printable.ts';

/** A user in the form of the OCI runtime configuration (`process.user`). */
export interface ProcessUser {
  readonly uid: number;
  readonly gid: number;
  readonly additionalGids: readonly number[];
}

interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

interface GroupEntry {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

/** Why a user or a group has no number, and what to do about it in the image. */
interface UnresolvedUser {
  readonly reason: string;
  readonly hint: string;
}

/** Largest id that the runtimes accept. */
const maxId = 2 ** 31 - 1;
/** Only this much of a file is read, in UTF-16 units: a hostile image must not cost time. */
const maxFileLength = 1024 * 1024;

/**
 * Resolves the `User` of an image with the rules of runc and Docker. A number is an id and need not be in the files; a
 * name must be. Without a group, the primary group of the user counts, or 0 when the user has no entry; the groups that
 * name the user as a member are added.
 *
 * @param user `''`, `USER` or `USER:GROUP`; empty means root
 * @param reject builds another error than that of an image
 * @throws CONFIG_INVALID for a name that is not in the files and for an id that is out of range
 */
export function resolveUser(
  user: string,
  files: UserFiles,
  reject: (unresolved: UnresolvedUser) => Error = (unresolved) => buildUnresolved(user, unresolved),
): ProcessUser {
  const separator = user.indexOf(':');
  const userPart = separator < 0 ? user : user.slice(0, separator);
  const groupPart = separator < 0 ? '' : user.slice(separator + 1);
  const entry = findPasswdEntry(files.passwd, userPart);
  const uid = entry?.uid ?? parseId(userPart || '0');
  if (uid === undefined) throw reject(explainUnresolved('user', userPart, files.passwd));
  if (groupPart !== '') {
    const gid = findGroupId(groupPart, files.group);
    if (gid === undefined) throw reject(explainUnresolved('group', groupPart, files.group));
    return { uid, gid, additionalGids: [] };
  }
  return {
    uid,
    gid: entry?.gid ?? 0,
    additionalGids: entry === undefined ? [] : listMemberships(parseGroups(files.group), entry.name),
  };
}

/** The text of `/etc/passwd` and `/etc/group` of an image, empty when it has none. */
export interface UserFiles {
  readonly passwd: string;
  readonly group: string;
}

/**
 * Finds the owner of a file that a file of systemd names.
 *
 * @param user name or number; empty means root
 * @param group name or number; empty means the group of the user
 * @returns undefined when the image does not have them
 */
export type FindOwner = (
  user: string,
  group: string,
) => { readonly uid: number; readonly gid: number } | undefined;

/** Reads the files once: a hostile image may name many owners. */
export function readOwners(files: UserFiles): FindOwner {
  // The first line of a name or number counts.
  const entries = parsePasswd(files.passwd).toReversed();
  const users = new Map(entries.map((entry) => [entry.name, entry]));
  const numbers = new Map(entries.map((entry) => [entry.uid, entry]));
  const groups = new Map(
    parseGroups(files.group)
      .toReversed()
      .map(({ name, gid }) => [name, gid]),
  );
  // systemd knows this name without a file.
  const toId = (name: string): string => (name === 'root' ? '0' : name);
  return (user, group) => {
    const wanted = toId(user) || '0';
    const id = parseId(wanted);
    const entry = id === undefined ? users.get(wanted) : numbers.get(id);
    const uid = entry?.uid ?? id;
    const named = toId(group);
    const gid = group === '' ? (entry?.gid ?? 0) : (parseId(named) ?? groups.get(named));
    return uid === undefined || gid === undefined ? undefined : { uid, gid };
  };
}

/** Lists the ids of the users in the text of `/etc/passwd`. */
export function listUserIds(passwd: string): ReadonlySet<number> {
  return new Set(parsePasswd(passwd).map(({ uid }) => uid));
}

function findPasswdEntry(passwd: string, user: string): PasswdEntry | undefined {
  const uid = parseId(user || '0');
  return parsePasswd(passwd).find((entry) => (uid === undefined ? entry.name === user : entry.uid === uid));
}

function findGroupId(group: string, file: string): number | undefined {
  return parseId(group) ?? parseGroups(file).find(({ name }) => name === group)?.gid;
}

function listMemberships(groups: readonly GroupEntry[], name: string): readonly number[] {
  const gids = groups.filter((group) => group.members.includes(name)).map((group) => group.gid);
  return [...new Set(gids)];
}

function parsePasswd(text: string): readonly PasswdEntry[] {
  return splitLines(text).flatMap(([name, , uidText, gidText]) => {
    const uid = parseId(uidText ?? '');
    const gid = parseId(gidText ?? '');
    return name === undefined || uid === undefined || gid === undefined ? [] : [{ name, uid, gid }];
  });
}

function parseGroups(text: string): readonly GroupEntry[] {
  return splitLines(text).flatMap(([name, , gidText, members]) => {
    const gid = parseId(gidText ?? '');
    return name === undefined || gid === undefined
      ? []
      : [{ name, gid, members: (members ?? '').split(',') }];
  });
}

/** Lines without a name or with a broken number are left out, as the runtimes do. */
function splitLines(text: string): readonly string[][] {
  return text
    .slice(0, maxFileLength)
    .split('\n')
    .map((line) => line.trim().split(':'))
    .filter(([name]) => name !== '' && name?.startsWith('#') === false);
}

function parseId(text: string): number | undefined {
  if (!/^[0-9]{1,10}$/.test(text)) return undefined;
  const id = Number(text);
  return id <= maxId ? id : undefined;
}

function buildUnresolved(user: string, { reason, hint }: UnresolvedUser): AtomicError {
  return new AtomicError(
    'CONFIG_INVALID',
    `Cannot resolve the user '${toPrintable(user)}' of the image: ${toPrintable(reason)}`,
    { hint },
  );
}

/**
 * @param part the part of the user that cannot be resolved
 * @param text of the file that has the names
 */
function explainUnresolved(kind: 'user' | 'group', part: string, text: string): UnresolvedUser {
  const file = kind === 'user' ? '/etc/passwd' : '/etc/group';
  if (/^[+-]?[0-9]+(?:\.[0-9]*)?$/.test(part)) {
    return {
      reason: `${part} is no number of a ${kind}; they go from 0 to ${maxId}`,
      hint: `Give the image a USER with a number in this range, such as USER 1000:1000.`,
    };
  }
  if (part.includes(':')) {
    return {
      reason: 'it has more than one colon',
      hint: 'Write USER or USER:GROUP into the image, with names or numbers.',
    };
  }
  if (splitLines(text).some(([name]) => name === part)) {
    return {
      reason: `the line of ${part} in its ${file} has no number from 0 to ${maxId}`,
      hint: `Correct that line in the image, or use numbers (USER 1000:1000).`,
    };
  }
  return {
    reason: text === '' ? `it has no ${file}` : `no ${kind} '${part}' in its ${file}`,
    hint: `Use numbers (USER 1000:1000) in the image, or add the ${kind} to its ${file}.`,
  };
}
