/** Reads `/etc/atomic.conf`, YAML of one level (compatibility O-12). */
import { readFileSync } from 'node:fs';
import { AtomicError } from '../base/errors.ts';
import { isErrno } from '../base/file-error.ts';
import { isJsonObject } from '../base/json-text.ts';
import { toPrintable } from '../base/printable.ts';
import type { Environment } from './host.ts';

/** The content of `/etc/atomic.conf` (compatibility O-12); every key is optional and so is the file. */
export interface Settings {
  readonly ostreeRepository?: string;
  readonly checkoutPath?: string;
  /** OCI runtime for system containers. */
  readonly runtime?: string;
  readonly httpProxy?: string;
  readonly httpsProxy?: string;
  readonly noProxy?: string;
  /** `any`: updates may ask for more of the host without a question. */
  readonly consent?: 'ask' | 'any';
}

const DEFAULT_PATH = '/etc/atomic.conf';

const KEYS = [
  'ostree_repository',
  'checkout_path',
  'runtime',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'consent',
] as const;

/** Keys of the original that have no effect here. They are accepted, so that its file stays valid. */
const ORIGINAL_KEYS: readonly string[] = [
  'default_storage',
  'default_scanner',
  'default_docker',
  'registry_confdir',
  'discover_sigstores',
  'sigstore_metadata_image',
  'default_signer',
  'gnupg_homedir',
  'registries_binary',
];

/**
 * Keys are looked up in lower, then in upper case. A file that is missing or empty means defaults (the original died,
 *
 *
 * @param env `ATOMIC_CONF` names another file
 * @throws AtomicError SETTINGS_INVALID when the file is not YAML, or a key is unknown or has a wrong type
 */
export function readSettings(env: Environment): Settings {
  const path = env.ATOMIC_CONF || DEFAULT_PATH;
  const text = readOptional(path);
  if (text === undefined) return {};
  const document = parseYaml(text, path);
  if (document === null || document === undefined) return {};
  if (!isJsonObject(document)) throw invalid(path, 'it is not a list of "key: value" lines');
  requireKnownKeys(Object.keys(document), path);
  const read = (key: (typeof KEYS)[number]): string | undefined => {
    const value = document[key] ?? document[key.toUpperCase()];
    if (value === undefined || value === null) return undefined;
    if (typeof value !== 'string') throw invalid(path, `"${key}" is not text`);
    return value;
  };
  const settings = {
    ostreeRepository: read('ostree_repository'),
    checkoutPath: read('checkout_path'),
    runtime: read('runtime'),
    httpProxy: read('http_proxy'),
    httpsProxy: read('https_proxy'),
    noProxy: read('no_proxy'),
    consent: parseConsent(read('consent'), path),
  };
  for (const key of ['ostreeRepository', 'checkoutPath'] as const) {
    const value = settings[key];
    if (value !== undefined && !value.startsWith('/'))
      throw invalid(path, `${value} is not an absolute path`);
  }
  return settings;
}

function parseConsent(value: string | undefined, path: string): Settings['consent'] {
  if (value === undefined || value === 'ask' || value === 'any') return value;
  throw invalid(path, '"consent" must be ask or any');
}

function requireKnownKeys(keys: readonly string[], path: string): void {
  const known: readonly string[] = [...KEYS, ...ORIGINAL_KEYS];
  const unknown = keys.find((key) => !known.some((name) => key === name || key === name.toUpperCase()));
  if (unknown === undefined) return;
  throw new AtomicError('SETTINGS_INVALID', `reading ${path}: unknown key "${toPrintable(unknown)}"`, {
    hint: `Correct or remove it. The keys are ${KEYS.join(', ')}.`,
  });
}

function readOptional(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw new AtomicError(
      'SETTINGS_INVALID',
      `reading ${path}: ${error instanceof Error ? error.message : error}`,
    );
  }
}

function parseYaml(text: string, path: string): unknown {
  try {
    return Bun.YAML.parse(text);
  } catch (error) {
    throw new AtomicError('SETTINGS_INVALID', `reading ${path}: it is not YAML`, { cause: error });
  }
}

function invalid(path: string, problem: string): AtomicError {
  return new AtomicError('SETTINGS_INVALID', `reading ${path}: ${problem}`, {
    hint: `Correct the file, or remove it to get the defaults.`,
  });
}

/**
 * Builds the environment of child programs: the proxies of the settings are added as upper-case variables unless the
 * person has set them, in upper or lower case (compatibility G-07).
 */
export function addProxyVariables(env: Environment, settings: Settings): Environment {
  const proxies = {
    HTTP_PROXY: settings.httpProxy,
    HTTPS_PROXY: settings.httpsProxy,
    NO_PROXY: settings.noProxy,
  };
  const missing = Object.entries(proxies).filter(
    ([name, value]) =>
      value !== undefined && env[name] === undefined && env[name.toLowerCase()] === undefined,
  );
  return { ...env, ...Object.fromEntries(missing) };
}
