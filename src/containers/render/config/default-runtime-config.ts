import { AtomicError } from '../../../base/errors.ts';
import { toPrintable } from '../../../base/printable.ts';
import type { ImageConfig } from '../../../image/configuration-blob.ts';
import type { ProcessUser } from '../../../image/user-lookup.ts';
import { buildInitCommand, buildInitMount, needsInit } from './default-init.ts';
import { buildContainerIsolation } from './default-isolation.ts';
import { buildDefaultMounts, type MountFacts } from './default-mounts.ts';

/** The values of the default configuration; the caller has determined them. */
export interface DefaultConfigFacts extends MountFacts {
  /** Whether the command is `run.sh`, which a folder of `listSearchPath(imageConfig)` holds. */
  readonly hasRunScript: boolean;
  /** A program of the host that can be process 1; undefined when the host has none. */
  readonly init: string | undefined;
  readonly imageConfig: ImageConfig;
  /** `imageConfig.user`, resolved. */
  readonly user: ProcessUser;
}

const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * Builds the text of `config.json` for an image without `config.json.template` (compatibility E-03, D-10): its Entrypoint
 * and Cmd, or `run.sh`; always with the Env, WorkingDir and User of the image,
 * read-only, without a terminal, in the network of the host. It does not use `runc spec`, so that the configuration is
 * the same with every runtime and version, and works with runc 1.1 and crun 1.8.
 *
 * @throws CONFIG_INVALID when the image has no command or a value of the image cannot be used
 */
export function buildDefaultRuntimeConfig(facts: DefaultConfigFacts): string {
  const command = chooseCommand(facts);
  const init = needsInit(command) ? facts.init : undefined;
  const mounts = buildDefaultMounts(facts);
  const config = {
    ociVersion: '1.0.2',
    process: {
      terminal: false,
      user: formatUser(facts.user),
      args: init === undefined ? command : buildInitCommand(command),
      env: buildEnvironment(facts.imageConfig.env),
      cwd: chooseWorkingDirectory(facts.imageConfig.workingDirectory),
      ...buildContainerIsolation(facts.user).process,
    },
    root: { path: 'rootfs', readonly: true },
    mounts: init === undefined ? mounts : [...mounts, buildInitMount(init)],
    linux: buildContainerIsolation(facts.user).linux,
  };
  return `${JSON.stringify(config, undefined, 4)}\n`;
}

/**
 * Lists the folders in which the runtime looks for the command of the image: absolute paths, in the order of the
 * search.
 */
export function listSearchPath(imageConfig: ImageConfig): readonly string[] {
  const path = imageConfig.env.findLast((entry) => entry.startsWith('PATH='))?.slice('PATH='.length);
  return (path || defaultPath).split(':').filter((folder) => folder.startsWith('/'));
}

/** @throws CONFIG_INVALID when the image has no command */
export function chooseCommand({
  hasRunScript,
  imageConfig,
}: Pick<DefaultConfigFacts, 'hasRunScript' | 'imageConfig'>): readonly string[] {
  if (hasRunScript) return ['run.sh'];
  const args = [...imageConfig.entrypoint, ...imageConfig.cmd];
  if (args.length === 0) {
    throw new AtomicError(
      'CONFIG_INVALID',
      'Cannot start the image: it has no config.json.template, no run.sh on its PATH, no Entrypoint and no Cmd',
      { hint: 'Add one of them to the image; config.json.template belongs in its folder /exports.' },
    );
  }
  for (const word of args) checkNoNul(word, 'Entrypoint or Cmd');
  return args;
}

/** Keeps the last of equal names, as the programs that build images do, and adds a PATH when there is none. */
function buildEnvironment(env: readonly string[]): readonly string[] {
  const variables = new Map<string, string>([['PATH', defaultPath]]);
  for (const entry of env) {
    const separator = entry.indexOf('=');
    // For a name without a value, the runtime would use the value of its own environment.
    if (separator < 1) throw invalidValue(`Env entry '${entry}' is not of the form NAME=VALUE`);
    checkNoNul(entry, 'Env');
    variables.set(entry.slice(0, separator), entry.slice(separator + 1));
  }
  return [...variables].map(([name, value]) => `${name}=${value}`);
}

function chooseWorkingDirectory(directory: string): string {
  checkNoNul(directory, 'WorkingDir');
  return directory.startsWith('/') ? directory : `/${directory}`;
}

function formatUser(user: ProcessUser) {
  const { uid, gid, additionalGids } = user;
  return additionalGids.length === 0 ? { uid, gid } : { uid, gid, additionalGids };
}

function checkNoNul(text: string, where: string): void {
  if (text.includes('\0')) throw invalidValue(`${where} contains a NUL character`);
}

function invalidValue(reason: string): AtomicError {
  return new AtomicError('CONFIG_INVALID', `Cannot start the image: ${toPrintable(reason, 200)}`, {
    hint: 'Correct it in the image, or add /exports/config.json.template to it.',
  });
}
