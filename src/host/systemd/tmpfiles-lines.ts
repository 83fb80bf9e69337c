/** Parses the lines of a tmpfiles.d file (tmpfiles.d(5)) to find out which paths they will change. */
import { normalize } from 'node:path/posix';

interface TmpfilesLine {
  readonly text: string;
  /** The letter of the type, without modifiers. */
  readonly type: string;
  /** The path without quotes and escapes. It may contain specifiers, and may be a pattern. */
  readonly path: string;
  /** Whether the path is absolute and systemd-tmpfiles certainly reads it in the same way. */
  readonly isSure: boolean;
}

/** The types that create something at their path. `folderTypes` are those of them that create a folder. */
const creatingTypes = 'fFdDvqQpLcbC';
const folderTypes = 'dDvqQ';
/** The types that do nothing at `--create`. */
const idleTypes = 'xXrR';

const specifiers: Readonly<Record<string, string>> = {
  '%%': '%',
  '%t': '/run',
  '%S': '/var/lib',
  '%C': '/var/cache',
  '%L': '/var/log',
  '%T': '/tmp',
  '%V': '/var/tmp',
};

/** Parses all lines but comments and empty ones. */
export function parseTmpfiles(text: string): readonly TmpfilesLine[] {
  return splitLines(text)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [type = '', field = ''] = line.match(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\S+/g) ?? [];
      const path = field.replace(/^(["'])(.*)\1$/, '$2').replace(/\\(.)/g, '$1');
      const isSure = /^\/[^%*?[\]"'\\]*[^%*?[\]"'\\/]$/.test(field) && !field.split('/').includes('..');
      return { text: line, type: type.charAt(0), path: isSure ? simplify(path) : path, isSure };
    });
}

/** Lists the paths that lines certainly create: after a wrong guess an undo would remove another file. */
export function listCreatedPaths(text: string): readonly string[] {
  return listPaths(text, creatingTypes);
}

export function listCreatedFolders(text: string): readonly string[] {
  return listPaths(text, folderTypes);
}

/** Lists the folders that `--remove` would empty. */
export function listEmptiedFolders(text: string): readonly string[] {
  return listPaths(text, 'D');
}

/** Lists the paths that the lines name, with guesses for specifiers. For a pattern it lists the folder of the matches. */
export function listNamedPaths(text: string): readonly string[] {
  return parseTmpfiles(text).map(({ path }) =>
    simplify(path.replace(/%./g, (word) => specifiers[word] ?? word).replace(/\/[^/]*[*?[].*$/, '/')),
  );
}

/** Lists the lines that do more at `--create` than to make one of `paths`. */
export function listOtherLines(text: string, paths: readonly string[]): readonly string[] {
  return parseTmpfiles(text)
    .filter(({ type, path }) => !idleTypes.includes(type) && !paths.includes(path))
    .map((line) => line.text);
}

/**
 * Replaces the types of lines by types without an effect: `systemd-tmpfiles --remove` then checks every field and removes
 * nothing. The line numbers stay the same.
 *
 * @returns the new text, or the number of the first line whose type is not a plain word: a quoted type is ambiguous
 */
export function disarmTmpfiles(text: string): { readonly text: string } | { readonly badLine: number } {
  const disarmed: string[] = [];
  for (const [index, line] of splitLines(text).entries()) {
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#')) {
      disarmed.push('');
      continue;
    }
    const [, type, rest] = /^([A-Za-z])([^\s"'\\]*(?:\s.*)?)$/.exec(trimmed) ?? [];
    if (type === undefined || rest === undefined) return { badLine: index + 1 };
    disarmed.push(`${{ D: 'd', r: 'x', R: 'x' }[type] ?? type}${rest}`);
  }
  return { text: `${disarmed.join('\n')}\n` };
}

/** systemd also ends a line at a carriage return. */
function splitLines(text: string): readonly string[] {
  return text.split(/\r\n|[\n\r\0]/);
}

function listPaths(text: string, types: string): readonly string[] {
  return parseTmpfiles(text)
    .filter(({ type, isSure }) => types.includes(type) && isSure)
    .map(({ path }) => path);
}

/** systemd-tmpfiles reads `/var/run` as `/run`. */
function simplify(path: string): string {
  return normalize(path)
    .replace(/^\/var\/run(?=\/|$)/, '/run')
    .replace(/(?<=.)\/$/, '');
}
