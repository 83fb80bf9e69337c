/** Reads the configuration files of the containers tools that this program needs before it runs skopeo. */
import { readdirSync, readFileSync } from 'node:fs';
import { AtomicError } from '../base/errors.ts';
import { noPath, tolerateMissing } from '../base/file-error.ts';
import type { Host } from '../host/host.ts';
import {
  emptyRegistriesConf,
  mergeRegistriesConf,
  type RegistriesConf,
  readRegistriesConf,
} from './trust/registries-conf.ts';
import { parseTrustPolicy, type TrustPolicy } from './trust/trust-policy.ts';

const SYSTEM_FOLDER = '/etc/containers';

/**
 * Reads the rules for short names. The user's registries.conf replaces that of the system; drop-ins of both add to it in
 * the order of their names.
 *
 * @throws AtomicError SETTINGS_INVALID when a file is not TOML or has a wrong shape
 */
export function readRegistriesConfFiles(host: Host): RegistriesConf {
  const folders = listFolders(host);
  const mains = folders
    .map((folder) => `${folder}/registries.conf`)
    .filter((path) => readOptional(path) !== undefined);
  const dropIns = [...folders].reverse().flatMap((folder) => listConfFiles(`${folder}/registries.conf.d`));
  return [...mains.slice(0, 1), ...dropIns].reduce(
    (conf, path) => mergeRegistriesConf(conf, parseRegistriesConf(readFileSync(path, 'utf8'), path)),
    emptyRegistriesConf,
  );
}

/**
 * Reads the trust policy: the user's, otherwise that of the system.
 *
 * @throws AtomicError SETTINGS_INVALID when there is none, because nothing is trusted then, or it is malformed
 */
export function readTrustPolicy(host: Host): TrustPolicy {
  for (const folder of listFolders(host)) {
    const path = `${folder}/policy.json`;
    const text = readOptional(path);
    if (text !== undefined) return parseTrustPolicy(text, path);
  }
  throw new AtomicError(
    'SETTINGS_INVALID',
    `reading the trust policy ${SYSTEM_FOLDER}/policy.json: no such file`,
    {
      hint: 'Install it: apt install golang-github-containers-common (Debian), dnf install containers-common (Fedora).',
    },
  );
}

function listFolders(host: Host): string[] {
  const home = host.env.HOME;
  return [...(home === undefined || home === '' ? [] : [`${home}/.config/containers`]), SYSTEM_FOLDER];
}

/** @throws AtomicError SETTINGS_INVALID when the text is not TOML or has a wrong shape */
export function parseRegistriesConf(text: string, path: string): Partial<RegistriesConf> {
  return readRegistriesConf(parseToml(text, path), rejectAt(path));
}

function parseToml(text: string, path: string): unknown {
  try {
    return Bun.TOML.parse(text);
  } catch (error) {
    throw new AtomicError('SETTINGS_INVALID', `reading ${path}: it is not TOML`, {
      hint: 'See containers-registries.conf(5).',
      cause: error,
    });
  }
}

function rejectAt(path: string): (problem: string) => AtomicError {
  return (problem) => new AtomicError('SETTINGS_INVALID', `reading ${path}: ${problem}`);
}

function readOptional(path: string): string | undefined {
  return tolerateMissing(() => readFileSync(path, 'utf8'), noPath);
}

function listConfFiles(folder: string): string[] {
  return (
    tolerateMissing(
      () =>
        readdirSync(folder)
          .filter((name) => name.endsWith('.conf'))
          .sort()
          .map((name) => `${folder}/${name}`),
      noPath,
    ) ?? []
  );
}
