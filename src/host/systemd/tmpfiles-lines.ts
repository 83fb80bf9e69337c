/** The lines of a tmpfiles.d file (tmpfiles.d(5)), as far as it must be known what they are about to do. */
import { normalize } from 'node:path/posix';

interface TmpfilesLine {
  readonly text: string;
  /** The letter, without modifiers. */
  readonly type: string;
  /** Without quotes and escapes; may still have specifiers, and be a pattern. */
  readonly path: string;
  /** Whether the path is absolute and certainly what systemd-tmpfiles takes it for. */
  readonly isSure: boolean;
}

/** The types that create something at their path, and those of them that create a folder. */
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

/** Lists the paths that lines create, and that are sure: guessing one wrong would remove something else later. */
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

/** Lists what the lines are about, as far as can be guessed: of a pattern the folder, in which all that matches is. */
export function listNamedPaths(text: string): readonly string[] {
  return parseTmpfiles(text).map(({ path }) =>
    simplify(path.replace(/%./g, (word) => specifiers[word] ?? word).replace(/\/[^/]*[*?[].*$/, '/')),
  );
}

/** Lists the lines that change more at `--create` than to make one of `paths`. */
export function listOtherLines(text: string, paths: readonly string[]): readonly string[] {
  return parseTmpfiles(text)
    .filter(({ type, path }) => !idleTypes.includes(type) && !paths.includes(path))
    .map((line) => line.text);
}

/**
 * The same lines, with types that do nothing: `systemd-tmpfiles --remove` judges every field of them, and removes
 * nothing. Their numbers stay.
 *
 * @returns undefined, with its number, for a line whose type is not a plain word: in quotes it could be anything
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

/** systemd ends a line at a carriage return, too. */
function splitLines(text: string): readonly string[] {
  return text.split(/\r\n|[\n\r\0]/);
}

function listPaths(text: string, types: string): readonly string[] {
  return parseTmpfiles(text)
    .filter(({ type, isSure }) => types.includes(type) && isSure)
    .map(({ path }) => path);
}

/** systemd-tmpfiles takes `/var/run` for `/run`. */
function simplify(path: string): string {
  return normalize(path)
    .replace(/^\/var\/run(?=\/|$)/, '/run')
    .replace(/(?<=.)\/$/, '');
}
