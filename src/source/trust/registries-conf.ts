/** The part of containers-registries.conf(5) that names images: short-name aliases and registries to search. */
import { isJsonObject } from '../../base/json-text.ts';

export interface RegistriesConf {
  readonly searchRegistries: readonly string[];
  /** Full names without tag, by short name. */
  readonly aliases: Readonly<Record<string, string>>;
}

export const emptyRegistriesConf: RegistriesConf = { searchRegistries: [], aliases: {} };

/**
 * Reads the parts of one file that this program uses.
 *
 * @param document the file, parsed as TOML
 * @param reject builds the error for a wrong shape
 */
export function readRegistriesConf(
  document: unknown,
  reject: (problem: string) => Error,
): Partial<RegistriesConf> {
  if (!isJsonObject(document)) throw reject('it is not a table');
  const registries = document['unqualified-search-registries'];
  const aliases = document.aliases;
  if (registries !== undefined && !isStringArray(registries)) {
    throw reject('"unqualified-search-registries" is not a list of names');
  }
  if (aliases !== undefined && !isStringTable(aliases)) throw reject('"aliases" is not a table of names');
  return {
    ...(registries === undefined ? {} : { searchRegistries: registries }),
    ...(aliases === undefined ? {} : { aliases }),
  };
}

/** A later file replaces the search list and adds to the aliases. */
export function mergeRegistriesConf(first: RegistriesConf, second: Partial<RegistriesConf>): RegistriesConf {
  return {
    searchRegistries: second.searchRegistries ?? first.searchRegistries,
    aliases: { ...first.aliases, ...second.aliases },
  };
}

/** @returns the full name of a short name; an empty alias removes an alias of an earlier file */
export function findAlias(conf: RegistriesConf, name: string): string | undefined {
  const alias = Object.hasOwn(conf.aliases, name) ? conf.aliases[name] : undefined;
  return alias === '' ? undefined : alias;
}

/** Registry that the containers tools search when none is configured. */
const DEFAULT_REGISTRY = 'docker.io';

/**
 * Lists the full names to try, in order, for a name without registry.
 *
 * @param name name without tag and digest
 */
export function listCandidates(conf: RegistriesConf, name: string): string[] {
  const alias = findAlias(conf, name);
  if (alias !== undefined) return [alias];
  const registries = conf.searchRegistries.length === 0 ? [DEFAULT_REGISTRY] : conf.searchRegistries;
  return registries.map((registry) => qualify(registry, name));
}

/** Docker Hub has its official images below `library/`, which users leave out. */
function qualify(registry: string, name: string): string {
  return registry === DEFAULT_REGISTRY && !name.includes('/')
    ? `${registry}/library/${name}`
    : `${registry}/${name}`;
}

function isStringArray(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function isStringTable(value: unknown): value is Record<string, string> {
  return isJsonObject(value) && Object.values(value).every((item) => typeof item === 'string');
}
