import { AtomicError } from './errors.ts';
import { expectArray, expectObject, expectString, expectStrings } from './json-shape.ts';
import { type JsonObject, parseJsonObject, type Reject } from './json-text.ts';
import { toPrintable } from './printable.ts';

export interface RuntimeMount {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
}

/** The parts of an OCI runtime configuration that this program looks at; the file itself is kept as it is. */
export interface RuntimeConfig {
  /** Words of the process; never empty. */
  readonly args: readonly string[];
  readonly rootPath: string;
  readonly rootReadonly: boolean;
  readonly mounts: readonly RuntimeMount[];
}

const maxLength = 4 * 1024 * 1024;

/**
 * Parses a `config.json`.
 *
 * @param text the file
 * @param path how errors call it
 * @throws CONFIG_INVALID when it is not JSON, has the wrong shape or no command (compatibility C-20, X-12)
 */
export function parseRuntimeConfig(text: string, path: string): RuntimeConfig {
  // Valid JSON of the wrong shape is another mistake than broken JSON, and has another message.
  const config = parseJsonObject(text, maxLength, (problem) =>
    invalid(`Invalid json in configuration file: ${toPrintable(path)}. ${toPrintable(problem)}`),
  );
  const reject: Reject = (problem) =>
    invalid(`Invalid configuration file.  ${toPrintable(problem)} (${toPrintable(path)})`);
  const root = expectObject(config.root, 'root', reject);
  return {
    args: parseArgs(expectObject(config.process, 'process', reject), reject),
    rootPath: expectString(root.path, 'root.path', reject),
    rootReadonly: root.readonly === true,
    mounts: expectArray(config.mounts, 'mounts', reject).map((mount, index) =>
      parseMount(mount, `mounts[${index}]`, reject),
    ),
  };
}

/**
 * Checks what an installed container needs and a container that runs once does not: a read-only root at `rootfs`.
 *
 * @param path how errors call the file
 * @throws CONFIG_INVALID
 */
export function checkInstalledRoot(config: RuntimeConfig, path: string): void {
  if (!config.rootReadonly) {
    throw invalid(
      `Invalid configuration file.  Only readonly images are supported: root.readonly must be true (${toPrintable(path)})`,
    );
  }
  if (config.rootPath !== 'rootfs') {
    throw invalid(
      `Invalid configuration file.  Path must be 'rootfs': root.path is '${toPrintable(config.rootPath)}' (${toPrintable(path)})`,
    );
  }
}

/** Lists the host paths that are bind-mounted, absolute and simplified, each once, in the order of the mounts. */
export function listBindSources(config: RuntimeConfig): readonly string[] {
  const sources = config.mounts
    .filter((mount) => isBind(mount) && mount.source.startsWith('/'))
    .map((mount) => simplifyPath(mount.source));
  return [...new Set(sources)];
}

function parseArgs(processSpec: JsonObject, reject: Reject): readonly string[] {
  const args = expectStrings(processSpec.args, 'process.args', reject);
  if (args.length === 0) throw reject('process.args must name the command to run');
  if (args.some((word) => word.includes('\0'))) throw reject('process.args contains a NUL character');
  return args;
}

function parseMount(value: unknown, where: string, reject: Reject): RuntimeMount {
  const mount = expectObject(value, where, reject);
  const source = expectString(mount.source, `${where}.source`, reject);
  if (source.includes('\0')) throw reject(`${where}.source contains a NUL character`);
  return {
    destination: expectString(mount.destination, `${where}.destination`, reject),
    type: expectString(mount.type, `${where}.type`, reject),
    source,
    options: expectStrings(mount.options, `${where}.options`, reject),
  };
}

function isBind(mount: RuntimeMount): boolean {
  const words = [mount.type, ...mount.options];
  return words.includes('bind') || words.includes('rbind');
}

/** As a lookup would go, but without symbolic links: `/a//b/../c/` is `/a/c`. */
function simplifyPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

function invalid(message: string): AtomicError {
  return new AtomicError('CONFIG_INVALID', message, {
    hint: 'It comes from config.json or config.json.template in /exports of the image, and the --set values.',
  });
}
