import type { JsonObject } from '../../base/json-text.ts';
import {
  bothRefuse,
  bothStart,
  type ConfigRule,
  findRepeated,
  isAbsent,
  noStart,
  onlyCrunRefuses,
  onlyRuncRefuses,
  readList,
  readNumber,
  readObject,
  readObjects,
  readText,
} from './rule.ts';

const namespaceTypes = new Set(['pid', 'network', 'ipc', 'mount', 'user', 'uts', 'cgroup', 'time']);
/** Of a host name, without the NUL (HOST_NAME_MAX). */
const maxHostname = 64;
/** Kernel settings that each IPC namespace has. */
const ipcSettings =
  /^(?:kernel\.(?:msgmax|msgmnb|msgmni|sem|shmall|shmmax|shmmni|shm_rmid_forced)|fs\.mqueue\..+)$/;

export const namespaceRules: readonly ConfigRule[] = [
  {
    ...{ name: 'unknown-namespace', ...bothRefuse, reason: noStart },
    find: (config) =>
      listNamespaces(config)
        .filter(([{ type }]) => !namespaceTypes.has(readText(type)))
        .map(([{ type }, where]) => ({
          where: `${where}.type`,
          problem: isAbsent(type) ? 'is missing' : 'is no namespace of Linux',
        })),
  },
  {
    ...{ name: 'repeated-namespace', ...onlyRuncRefuses, reason: 'each may be there once' },
    find: (config) =>
      findRepeated(listNamespaces(config).map(([{ type }, where]) => [readText(type), where])).map(
        ([, where]) => ({ where, problem: 'is there twice' }),
      ),
  },
  {
    ...{ name: 'relative-namespace', ...bothRefuse, reason: noStart },
    find: (config) =>
      listNamespaces(config)
        .filter(([{ path }]) => /^[^/]/.test(readText(path)))
        .map(([, where]) => ({ where: `${where}.path`, problem: 'is relative' })),
  },
  {
    ...{
      name: 'time-namespace',
      ...bothStart,
      reason: 'runc before 1.2 and crun before 1.9 do not start it',
    },
    find: (config) =>
      listNamespaces(config)
        .filter(([{ type }]) => type === 'time')
        .map(([, where]) => ({ where, problem: 'is a time namespace' })),
  },
  {
    ...{
      name: 'user-namespace-without-mappings',
      ...onlyRuncRefuses,
      reason: 'it knows no user on the host',
    },
    find: (config) =>
      hasNamespace(config, 'user', 'new')
        ? ['uidMappings', 'gidMappings']
            .filter((key) => readList(readObject(config.linux)[key]).length === 0)
            .map((key) => ({
              where: `linux.${key}`,
              problem: 'is missing, and there is a new user namespace',
            }))
        : [],
  },
  {
    ...{ name: 'user-not-mapped', ...bothRefuse, reason: noStart },
    find: (config) =>
      hasNamespace(config, 'user', 'new')
        ? ['uidMappings', 'gidMappings']
            .map((key) => [key, readObjects(readObject(config.linux)[key], '')] as const)
            .filter(([, mappings]) => mappings.length > 0 && !mappings.some(([mapping]) => mapsRoot(mapping)))
            .map(([key]) => ({ where: `linux.${key}`, problem: 'does not map 0' }))
        : [],
  },
  {
    ...{ name: 'mappings-without-user-namespace', ...bothStart, reason: 'they have no effect' },
    find: (config) =>
      hasNamespace(config, 'user', 'any')
        ? []
        : ['uidMappings', 'gidMappings']
            .filter((key) => readList(readObject(config.linux)[key]).length > 0)
            .map((key) => ({ where: `linux.${key}`, problem: 'needs a user namespace in linux.namespaces' })),
  },
  {
    ...{ name: 'hostname-without-namespace', ...bothRefuse, reason: noStart },
    find: (config) =>
      readText(config.hostname) === '' || hasNamespace(config, 'uts', 'any')
        ? []
        : [{ where: 'hostname', problem: 'needs a UTS namespace in linux.namespaces' }],
  },
  {
    ...{ name: 'long-hostname', ...bothRefuse, reason: noStart },
    find: ({ hostname }) =>
      Buffer.byteLength(readText(hostname)) > maxHostname
        ? [{ where: 'hostname', problem: `is longer than ${maxHostname} bytes` }]
        : [],
  },
  {
    ...{ name: 'domainname-without-namespace', ...onlyCrunRefuses, reason: 'runc before 1.2 ignores it' },
    find: (config) =>
      readText(config.domainname) === '' || hasNamespace(config, 'uts', 'any')
        ? []
        : [{ where: 'domainname', problem: 'needs a UTS namespace in linux.namespaces' }],
  },
  {
    ...{ name: 'sysctl-without-namespace', ...bothRefuse, reason: noStart },
    find: (config) =>
      listSysctls(config).flatMap(([name, where]) => {
        const type = findSysctlNamespace(name);
        if (type === undefined || hasNamespace(config, type, 'any')) return [];
        return [{ where, problem: `needs a namespace '${type}' in linux.namespaces` }];
      }),
  },
  {
    ...{ name: 'sysctl-of-the-host', ...bothRefuse, reason: noStart },
    find: (config) =>
      listSysctls(config)
        .filter(([name]) => name === 'kernel.hostname' || findSysctlNamespace(name) === undefined)
        .map(([name, where]) => ({
          where,
          problem:
            name === 'kernel.hostname' ? "must be written as 'hostname'" : 'is a setting of the whole host',
        })),
  },
];

function listNamespaces({ linux }: JsonObject) {
  return readObjects(readObject(linux).namespaces, 'linux.namespaces');
}

/** @param kind `new` for one that the runtime makes, `any` for one that exists, too */
function hasNamespace(config: JsonObject, type: string, kind: 'new' | 'any'): boolean {
  return listNamespaces(config).some(
    ([namespace]) => namespace.type === type && (kind === 'any' || readText(namespace.path) === ''),
  );
}

/** @returns names with dots, and their places. Both runtimes take a name with slashes, too */
function listSysctls({ linux }: JsonObject): readonly (readonly [string, string])[] {
  return Object.keys(readObject(readObject(linux).sysctl)).map(
    (name) => [name.includes('/') ? name.replaceAll('/', '.') : name, `linux.sysctl['${name}']`] as const,
  );
}

function findSysctlNamespace(name: string): string | undefined {
  if (name.startsWith('net.')) return 'network';
  if (ipcSettings.test(name)) return 'ipc';
  return name === 'kernel.domainname' || name === 'kernel.hostname' ? 'uts' : undefined;
}

function mapsRoot({ containerID, size }: JsonObject): boolean {
  return readNumber(containerID) === 0 && readNumber(size) > 0;
}
