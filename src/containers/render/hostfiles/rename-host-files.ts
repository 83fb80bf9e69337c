/** The path on the host of each file of `/exports/hostfs` (compatibility E-06, E-07). */
import { normalize } from 'node:path/posix';
import { AtomicError } from '../../../base/errors.ts';
import { toPrintable } from '../../../base/printable.ts';
import { substituteTemplate, type TemplateValues } from '../values/template.ts';
import { listParents } from './host-file.ts';

/** The longest file name of the kernel, less the affixes of the temporary name. */
const maxNameBytes = 255 - '..atomic-part'.length;
const maxPathBytes = 4096 - 256;

/**
 * Replaces the variables in the values of `renameFiles`.
 *
 * @throws TEMPLATE_UNSET_VARIABLE, TEMPLATE_INVALID
 */
export function substituteRenames(
  renames: Readonly<Record<string, string>>,
  values: TemplateValues,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(renames).map(([path, template]) => [
      path,
      substituteTemplate(template, values, 'manifest.json'),
    ]),
  );
}

/**
 * Renames a path: replaces each prefix that is a key, from the left. The new prefix and the next part of the path are
 * looked up again.
 *
 * @param path absolute
 * @throws EXPORTS_INVALID when the result is not a plain absolute path
 */
export function renameHostPath(path: string, renames: ReadonlyMap<string, string>): string {
  let at = '';
  for (const part of path.split('/').slice(1)) {
    at = `${at === '/' ? '' : at}/${part}`;
    at = renames.get(at) ?? at;
  }
  return at;
}

/** The keys and values of `renameFiles` as plain paths. @throws EXPORTS_INVALID for a value that is not a path */
export function normalizeRenames(renames: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(renames).map(
      ([from, to]) => [normalize(from).replace(/(.)\/$/, '$1'), requirePlainPath(to)] as const,
    ),
  );
}

/** @throws EXPORTS_INVALID for a path that is relative, has `..` or a control character, or is too long */
export function requirePlainPath(path: string): string {
  const plain = normalize(path).replace(/(.)\/$/, '$1');
  const problem = findPathFault(path, plain);
  if (problem === undefined) return plain;
  throw new AtomicError('EXPORTS_INVALID', `The path '${toPrintable(path)}' of a host file ${problem}`, {
    hint: 'Correct /exports/hostfs, or renameFiles in /exports/manifest.json, and check the values of its variables.',
    details: { path: toPrintable(path) },
  });
}

function findPathFault(path: string, plain: string): string | undefined {
  if (!path.startsWith('/')) return 'is not absolute';
  if (plain === '/') return 'names no file';
  if (path.split('/').includes('..')) return "has '..' in it";
  if (/[\u0000-\u001f\u007f-\u009f\ufffd]/.test(path))
    return 'has characters that no name of a host should have';
  if (plain.split('/').some((name) => Buffer.byteLength(name) > maxNameBytes))
    return 'has a name that is too long';
  return Buffer.byteLength(plain) > maxPathBytes ? 'is too long' : undefined;
}

/**
 * Checks that each path occurs once, and that only folders have paths below them.
 *
 * @throws EXPORTS_INVALID
 */
export function requireDistinctPaths(paths: readonly string[]): void {
  const seen = new Set<string>();
  for (const path of paths) {
    if (seen.has(path)) throw buildClash(path, 'two files of the image have that path');
    seen.add(path);
  }
  for (const path of paths) {
    const parent = listParents(path).find((folder) => seen.has(folder));
    if (parent !== undefined) throw buildClash(path, `${toPrintable(parent)} is not a folder`);
  }
}

function buildClash(path: string, reason: string): AtomicError {
  return new AtomicError('EXPORTS_INVALID', `Cannot put ${toPrintable(path)} on the host: ${reason}`, {
    hint: 'It comes from renameFiles in /exports/manifest.json, and the --set values.',
    details: { path: toPrintable(path) },
  });
}
