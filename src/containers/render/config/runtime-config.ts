import { AtomicError } from '../../../base/errors.ts';
import { expectArray, expectObject, expectString, expectStrings } from '../../../base/json-shape.ts';
import { type JsonObject, parseJsonObject, type Reject } from '../../../base/json-text.ts';
import { toPrintable } from '../../../base/printable.ts';
import { checkUnambiguous } from './strict-runtime-config.ts';

export interface RuntimeMount {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
  /** The option of the person that asks for the mount, as messages name it. */
  readonly option?: string;
}

interface RuntimeNamespace {
  readonly type: string;
  /** A namespace that exists already; empty for a new one. */
  readonly path: string;
}

/** The parts of an OCI runtime configuration that this program reads; the file itself is installed unchanged. */
export interface RuntimeConfig {
  /** Words of the process; may be empty. */
  readonly args: readonly string[];
  readonly rootPath: string;
  readonly rootReadonly: boolean;
  readonly mounts: readonly RuntimeMount[];
  /** Capabilities that the process has or can get, of all five sets. */
  readonly capabilities: readonly string[];
  readonly namespaces: readonly RuntimeNamespace[];
  /** Users of the host to which users of the container are mapped: the first ids of `linux.uidMappings`. */
  readonly mappedUsers: readonly number[];
  /** Paths of `linux.devices`. */
  readonly devices: readonly string[];
  /** `linux.maskedPaths` and `linux.readonlyPaths`. */
  readonly guardedPaths: readonly string[];
  /** Programs that the runtime starts on the host, and the list of `hooks` that names each. */
  readonly hostHooks: readonly { readonly list: string; readonly path: string }[];
  /** Empty when not set. */
  readonly rootPropagation: string;
}

const maxLength = 4 * 1024 * 1024;

const capabilitySets = ['bounding', 'effective', 'inheritable', 'permitted', 'ambient'];
/** All but `startContainer`, which runs inside the container. */
const hostHookLists = ['prestart', 'createRuntime', 'createContainer', 'poststart', 'poststop'];

/**
 * Parses a `config.json`.
 *
 * @param text the file
 * @param path how errors call it
 * @throws CONFIG_INVALID when it is not JSON, can be read in two ways or has the wrong shape (compatibility C-20)
 */
export function parseRuntimeConfig(text: string, path: string): RuntimeConfig {
  // JSON of the wrong shape and invalid JSON have different messages.
  const config = parseJsonObject(text, maxLength, (problem) =>
    invalid(`Invalid json in configuration file: ${toPrintable(path)}. ${toPrintable(problem)}`),
  );
  const reject = rejectConfig(path);
  const parsed = parseParts(config, reject);
  checkUnambiguous(text, reject);
  return parsed;
}

function parseParts(config: JsonObject, reject: Reject): RuntimeConfig {
  const root = expectObject(config.root, 'root', reject);
  const spec = expectObject(config.process, 'process', reject);
  const linux = expectObject(config.linux, 'linux', reject);
  return {
    args: parseArgs(spec, reject),
    rootPath: expectString(root.path, 'root.path', reject),
    rootReadonly: root.readonly === true,
    mounts: parseObjects(config.mounts, 'mounts', reject).map(([mount, where]) =>
      parseMount(mount, where, reject),
    ),
    capabilities: parseCapabilities(spec.capabilities, reject),
    namespaces: parseObjects(linux.namespaces, 'linux.namespaces', reject).map(([namespace, where]) => ({
      type: expectString(namespace.type, `${where}.type`, reject),
      path: expectString(namespace.path, `${where}.path`, reject),
    })),
    mappedUsers: parseObjects(linux.uidMappings, 'linux.uidMappings', reject).map(([mapping, where]) => {
      if (typeof mapping.hostID !== 'number') throw reject(`${where}.hostID must be a number`);
      return mapping.hostID;
    }),
    devices: parseObjects(linux.devices, 'linux.devices', reject).map(([device, where]) =>
      expectString(device.path, `${where}.path`, reject),
    ),
    guardedPaths: [
      ...expectStrings(linux.maskedPaths, 'linux.maskedPaths', reject),
      ...expectStrings(linux.readonlyPaths, 'linux.readonlyPaths', reject),
    ],
    hostHooks: parseHostHooks(config.hooks, reject),
    rootPropagation: expectString(linux.rootfsPropagation, 'linux.rootfsPropagation', reject),
  };
}

/** Builds the error for a configuration with invalid content. @param path how errors call the file */
export function rejectConfig(path: string): Reject {
  return (problem) => invalid(`Invalid configuration file.  ${toPrintable(problem)} (${toPrintable(path)})`);
}

/**
 * Builds the error for a mount that cannot be made. A mount of an option is a mistake of the command line, not of the image.
 *
 * @param part `source` or `destination`
 * @param build makes the error for a mount of the configuration, from its place there
 */
export function rejectMount(
  { option }: RuntimeMount,
  part: 'source' | 'destination',
  reason: string,
  build: (reason: string) => Error,
): Error {
  if (option === undefined) return build(reason);
  return new AtomicError('BAD_VALUE', `${option}: the ${part} ${toPrintable(reason, 400)}`, {
    hint: `Choose another ${part}.`,
  });
}

/** Lists the host paths that are bind-mounted, absolute and simplified, each once, in the order of the mounts. */
export function listBindSources(config: RuntimeConfig): readonly string[] {
  const sources = config.mounts
    .filter((mount) => isBind(mount) && mount.source.startsWith('/'))
    .map((mount) => simplifyPath(mount.source));
  return [...new Set(sources)];
}

export function isBind(mount: RuntimeMount): boolean {
  const words = [mount.type, ...mount.options];
  return words.includes('bind') || words.includes('rbind');
}

/** Simplifies a path as a lookup without symlinks would: `/a//b/../c/` becomes `/a/c`. */
export function simplifyPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

function parseArgs(processSpec: JsonObject, reject: Reject): readonly string[] {
  const args = expectStrings(processSpec.args, 'process.args', reject);
  if (args.some((word) => word.includes('\0'))) throw reject('process.args contains a NUL character');
  return args;
}

/** Reads an array of objects, each with its place for messages. */
function parseObjects(
  value: unknown,
  where: string,
  reject: Reject,
): readonly (readonly [JsonObject, string])[] {
  return expectArray(value, where, reject).map((item, index) => [
    expectObject(item, `${where}[${index}]`, reject),
    `${where}[${index}]`,
  ]);
}

function parseMount(mount: JsonObject, where: string, reject: Reject): RuntimeMount {
  const source = expectString(mount.source, `${where}.source`, reject);
  if (source.includes('\0')) throw reject(`${where}.source contains a NUL character`);
  return {
    destination: expectString(mount.destination, `${where}.destination`, reject),
    type: expectString(mount.type, `${where}.type`, reject),
    source,
    options: expectStrings(mount.options, `${where}.options`, reject),
  };
}

/** Before version 1.0 of the specification there was one set for all, an array. */
function parseCapabilities(value: unknown, reject: Reject): readonly string[] {
  if (Array.isArray(value)) return expectStrings(value, 'process.capabilities', reject);
  const capabilities = expectObject(value, 'process.capabilities', reject);
  const names = capabilitySets.flatMap((set) =>
    expectStrings(capabilities[set], `process.capabilities.${set}`, reject),
  );
  return [...new Set(names)];
}

function parseHostHooks(value: unknown, reject: Reject): RuntimeConfig['hostHooks'] {
  const hooks = expectObject(value, 'hooks', reject);
  return hostHookLists.flatMap((list) =>
    parseObjects(hooks[list], `hooks.${list}`, reject).map(([hook, where]) => ({
      list,
      path: expectString(hook.path, `${where}.path`, reject),
    })),
  );
}

function invalid(message: string): AtomicError {
  return new AtomicError('CONFIG_INVALID', message, {
    hint: 'It comes from config.json or config.json.template in /exports of the image, and the --set values.',
  });
}
