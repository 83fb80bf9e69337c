/** Compares `config.json` with the image: whether its command is there, its user has a name, its volumes have a mount. */
import type { JsonObject } from '../../base/json-text.ts';
import { dropInit } from '../render/config/default-init.ts';
import { simplifyPath } from '../render/config/runtime-config.ts';
import { buildExportsFinding, type ExportsRule } from './exports-rules.ts';
import type { Finding } from './finding.ts';
import { findInImage, type ImageFiles } from './image-path.ts';
import { findInterpreter } from './interpreter.ts';
import { readList, readNumber, readObject, readObjects, readText, readTexts } from './rule.ts';

export interface LintedImage {
  readonly files: ImageFiles;
  /** `Volumes` of the image. */
  readonly volumes: readonly string[];
  /** The ids of its users; `undefined` when it has no list of them. */
  readonly userIds: ReadonlySet<number> | undefined;
  /** Whether it brings its configuration; the default configuration has the users and volumes of the image. */
  readonly hasOwnConfig: boolean;
}

const file = 'config.json';
/** A script may be the interpreter of a script. */
const maxInterpreters = 4;

export function lintAgainstImage(config: JsonObject, image: LintedImage): readonly Finding[] {
  const covered = listCovered(config);
  return [
    ...lintCommand(config, image.files, covered),
    ...(image.hasOwnConfig ? [...lintUser(config, image), ...lintVolumes(config, image)] : []),
  ];
}

function lintCommand(
  { process }: JsonObject,
  files: ImageFiles,
  covered: ReadonlySet<string>,
): readonly Finding[] {
  const { args, env, cwd } = readObject(process);
  const [command] = dropInit(readList(args));
  const where = 'process.args[0]';
  if (typeof command !== 'string' || command === '') return [];
  const path = readTexts(env, '').findLast(([line]) => line.startsWith('PATH='))?.[0];
  const folders = (path ?? '').slice('PATH='.length).split(':');
  const find = (name: string) => findProgram(name, { folders, cwd: readText(cwd), files, covered });
  const found = find(command);
  const report = (rule: ExportsRule, problem: string) => [
    buildExportsFinding(rule, { file, where, problem: `'${command}' ${problem}` }),
  ];
  if (found.kind === 'unknown') return [];
  if (found.kind === 'directory') return report('command-not-executable', 'is a folder of the image');
  if (found.kind === 'not-executable') {
    return report('command-not-executable', `is not executable in the image: ${found.path} has no x bit`);
  }
  if (found.kind === 'missing') {
    if (command.includes('/')) return report('command-not-found', 'is not in the image');
    // Another rule finds a missing PATH.
    return path === undefined
      ? []
      : report('command-not-found', `is in no folder of PATH in the image (${folders.join(':')})`);
  }
  return lintInterpreters(found.path, files, find).flatMap((problem) =>
    report('interpreter-not-found', problem),
  );
}

/** @returns at most one problem */
function lintInterpreters(
  program: string,
  files: ImageFiles,
  find: (name: string) => FoundProgram,
): readonly string[] {
  let at = program;
  for (let depth = 0; depth < maxInterpreters; depth++) {
    const interpreter = findInterpreter(files.readProgram(at)?.start ?? new Uint8Array());
    if (interpreter === undefined) return [];
    const { path, argument } = interpreter;
    const found = path.startsWith('/') ? find(path) : { kind: 'unknown' as const };
    if (found.kind === 'unknown') return [];
    if (found.kind !== 'program') return [`needs ${path}, which is no program of the image`];
    // `env -S` and assignments are left out.
    if (path.endsWith('/env') && /^[\w.+]/.test(argument) && !argument.includes('=')) {
      const named = find(argument);
      if (named.kind === 'missing') return [`needs ${argument}, which is in no folder of PATH in the image`];
    }
    at = found.path;
  }
  return [];
}

type FoundProgram =
  | { readonly kind: 'program'; readonly path: string }
  | { readonly kind: 'not-executable'; readonly path: string }
  | { readonly kind: 'directory' }
  | { readonly kind: 'missing' }
  | { readonly kind: 'unknown' };

interface Search {
  readonly folders: readonly string[];
  readonly cwd: string;
  readonly files: ImageFiles;
  readonly covered: ReadonlySet<string>;
}

/** As the runtimes search: a name with a slash is a path, any other is searched in PATH. */
function findProgram(name: string, search: Search): FoundProgram {
  if (name.includes('/')) return lookAtProgram(name, search);
  let best: FoundProgram = { kind: 'missing' };
  for (const folder of search.folders) {
    const found = lookAtProgram(`${folder || '.'}/${name}`, search);
    if (found.kind === 'program' || found.kind === 'unknown') return found;
    if (found.kind === 'not-executable') best = found;
  }
  return best;
}

function lookAtProgram(path: string, { cwd, files, covered }: Search): FoundProgram {
  const found = findInImage(files.look, covered, path.startsWith('/') ? path : `${cwd}/${path}`);
  if (found.kind === 'covered') return { kind: 'unknown' };
  if (found.kind !== 'file') return { kind: found.kind };
  const program = files.readProgram(found.path);
  if (program === undefined) return { kind: 'unknown' };
  return { kind: program.isExecutable ? 'program' : 'not-executable', path: found.path };
}

/** A mount with `tmpcopyup` has the files of the image. */
function listCovered({ mounts }: JsonObject): ReadonlySet<string> {
  return new Set(
    readObjects(mounts, 'mounts')
      .filter(([{ options }]) => !readTexts(options, '').some(([option]) => option === 'tmpcopyup'))
      .map(([{ destination }]) => simplifyPath(readText(destination))),
  );
}

function lintUser({ process }: JsonObject, { userIds }: LintedImage): readonly Finding[] {
  const uid = readNumber(readObject(readObject(process).user).uid);
  if (uid === 0 || userIds === undefined || userIds.has(uid)) return [];
  const problem = `${uid} is not in /etc/passwd of the image: programs that ask for the name of their user fail`;
  return [buildExportsFinding('unnamed-user', { file, where: 'process.user.uid', problem })];
}

function lintVolumes({ mounts }: JsonObject, { volumes }: LintedImage): readonly Finding[] {
  const destinations = readObjects(mounts, 'mounts').map(([{ destination }]) =>
    simplifyPath(readText(destination)),
  );
  return volumes
    .map(simplifyPath)
    .filter((volume) => !destinations.some((path) => volume === path || volume.startsWith(`${path}/`)))
    .map((volume) => {
      const problem = `has no mount at ${volume}, a volume of the image: the service cannot write there`;
      return buildExportsFinding('volume-without-mount', { file, where: 'mounts', problem });
    });
}
