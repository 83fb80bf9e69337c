/**
 * Reads `/etc/atomic/NAME.d/*.json`: merge patches (RFC 7396) of the configuration of a container, for programs that manage
 * the files of a host.
 */
import { readFile, stat } from 'node:fs/promises';
import { AtomicError } from '../../base/errors.ts';
import { parseExactJson } from '../../base/exact-json.ts';
import { withFileErrors } from '../../base/file-error.ts';
import { Permission } from '../../base/file-mode.ts';
import type { JsonObject, Reject } from '../../base/json-text.ts';
import { toPrintable } from '../../base/printable.ts';
import { listFolder } from '../../host/files/find-file.ts';
import type { Host } from '../../host/host.ts';
import type { ContainerName } from '../render/container-name.ts';

export interface ConfigPatch {
  /** `10-limits.json`. */
  readonly name: string;
  readonly path: string;
  readonly sha256: string;
  readonly content: JsonObject;
}

const MAX_BYTES = 1024 * 1024;

/**
 * Reads the patches of a container in the order of their names. Other files of the folder are left out.
 *
 * @throws CONFIG_INVALID for a patch that is no JSON object, and for one that other users can change
 */
export async function readPatches(host: Host, container: ContainerName): Promise<readonly ConfigPatch[]> {
  const folder = `${host.locations.patches}/${container}.d`;
  const names = (await listFolder(folder)).map(({ name }) => name);
  const own = names.filter((name) => name.endsWith('.json') && !name.startsWith('.'));
  if (own.length > 0) await requireProtected(host, folder);
  return Promise.all(own.map((name) => readPatch(host, `${folder}/${name}`, name)));
}

/** The record of a deployment about its patches. */
export function digestPatches(patches: readonly ConfigPatch[]): Readonly<Record<string, string>> {
  return Object.fromEntries(patches.map(({ name, sha256 }) => [name, sha256]));
}

/** Describes the differences between two records of patches: `the patch 10-limits.json has changed`. */
export function listChangedPatches(
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): readonly string[] {
  const describe = (name: string): string => {
    if (!Object.hasOwn(before, name)) return 'is new';
    return Object.hasOwn(after, name) ? 'has changed' : 'was removed';
  };
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((name) => before[name] !== after[name])
    .map((name) => `the patch ${name} ${describe(name)}`);
}

async function readPatch(host: Host, path: string, name: string): Promise<ConfigPatch> {
  const reject = rejectPatch(path);
  const status = await requireProtected(host, path);
  if (!status.isFile()) throw reject('it is no file');
  if (status.size > MAX_BYTES) throw reject(`it is longer than ${MAX_BYTES} bytes`);
  const bytes = await withFileErrors(`read ${path}`, () => readFile(path));
  const text = decode(bytes, reject);
  return {
    ...{ name, path, content: parseExactJson(text, MAX_BYTES, reject) },
    sha256: new Bun.CryptoHasher('sha256').update(bytes).digest('hex'),
  };
}

/** Builds the error for a patch that cannot be used. */
export function rejectPatch(path: string): Reject {
  return (problem) =>
    new AtomicError(
      'CONFIG_INVALID',
      `Cannot use the patch ${toPrintable(path)}: ${toPrintable(problem, 400)}`,
      {
        hint: 'Correct or remove the file; each file there is a JSON merge patch of config.json (RFC 7396).',
      },
    );
}

/** A user who can change a patch could run programs as root. */
async function requireProtected(host: Host, path: string) {
  const status = await withFileErrors(`read ${path}`, () => stat(path));
  if (status.uid === host.uid && (status.mode & Permission.othersWrite) === 0) return status;
  throw new AtomicError(
    'CONFIG_INVALID',
    `Cannot use the patches of ${toPrintable(path)}: other users can change them`,
    { hint: `Protect it: chown root ${toPrintable(path)} && chmod o-w ${toPrintable(path)}` },
  );
}

function decode(bytes: Buffer, reject: Reject): string {
  const text = bytes.toString('utf8');
  if (Buffer.from(text, 'utf8').equals(bytes)) return text;
  throw reject('it is not UTF-8 text');
}
