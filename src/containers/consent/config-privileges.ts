/** The privileges on the host that `config.json` asks for (OCI runtime specification, config-linux.md). */
import { normalize } from 'node:path/posix';
import {
  expectArray,
  expectObject,
  expectString,
  expectStringMap,
  expectStrings,
} from '../../base/json-shape.ts';
import type { JsonObject, Reject } from '../../base/json-text.ts';
import { findSubmounts, isReadOnlyMount, readOverlayFolders } from '../render/config/mount-sources.ts';
import { allDevices, fullAccess, type PathAccess, type Privilege } from './privilege.ts';

/** The namespaces whose absence shares a resource of the host. A shared user namespace is reported as the user root. */
const isolatedNamespaces = ['network', 'pid', 'ipc', 'uts', 'mount', 'cgroup'];
const capabilitySets = ['bounding', 'effective', 'permitted', 'inheritable', 'ambient'];
const hookStages = [
  'prestart',
  'createRuntime',
  'createContainer',
  'startContainer',
  'poststart',
  'poststop',
];
/** Filesystems that do not show files of a disk or of a folder of the host. */
const ownFilesystems = ['proc', 'sysfs', 'tmpfs', 'devpts', 'mqueue', 'cgroup', 'cgroup2'];
/** The major and minor numbers of the default devices, which a runtime allows without a rule. */
const defaultNumbers = ['c 1:3', 'c 1:5', 'c 1:7', 'c 1:8', 'c 1:9', 'c 5:0', 'c 5:1', 'c 5:2', 'c 136:*'];
/** Every container has these; see config-linux.md, "Default Devices". */
const defaultDevices = [
  '/dev/null',
  '/dev/zero',
  '/dev/full',
  '/dev/random',
  '/dev/urandom',
  '/dev/tty',
  '/dev/console',
  '/dev/ptmx',
];

/**
 * @param config the parsed `config.json`
 * @param ownFolders folders of the host that belong to the container
 * @param reject builds the error for a wrong shape
 */
export function listConfigPrivileges(
  config: JsonObject,
  ownFolders: readonly string[],
  reject: Reject,
): readonly Privilege[] {
  const spec = expectObject(config.process, 'process', reject);
  const linux = expectObject(config.linux, 'linux', reject);
  return [
    ...listIdentities(spec, linux, reject),
    // In a user namespace, capabilities give no power over the host.
    ...(hasNamespace(linux, 'user', reject) ? [] : listCapabilities(spec, reject)),
    ...listNamespaces(linux, reject),
    ...listMounts(config, ownFolders, reject),
    ...listDevices(linux, reject),
    ...listUnconfined(spec, linux, reject),
    ...Object.keys(expectStringMap(linux.sysctl, 'linux.sysctl', reject)).map(
      (subject) => ({ kind: 'sysctl', subject }) as const,
    ),
    ...listHooks(config, reject),
  ];
}

/** Root, or the groups that are more than a group of the user alone, which has the number of the user. */
function listIdentities(spec: JsonObject, linux: JsonObject, reject: Reject): readonly Privilege[] {
  const { uid, gid, additionalGids } = expectObject(spec.user, 'process.user', reject);
  const user = findHostId(uid, linux, 'uidMappings', reject);
  if (user === 0) return [{ kind: 'user', subject: 'root' }];
  const isMapped = hasNamespace(linux, 'user', reject);
  const groups = [gid, ...expectArray(additionalGids, 'process.user.additionalGids', reject)]
    .map((id) => findHostId(id, linux, 'gidMappings', reject))
    .filter((group) => group !== undefined)
    .filter((group) => group === 0 || (group !== user && !isMapped));
  return [...new Set(groups)].map((group) => ({ kind: 'user', subject: `group ${group}` }));
}

/** @returns the number of a user or a group on the host; undefined when the user namespace has none for it */
function findHostId(
  id: unknown,
  linux: JsonObject,
  list: 'uidMappings' | 'gidMappings',
  reject: Reject,
): number | undefined {
  const inside = typeof id === 'number' ? id : 0;
  if (!hasNamespace(linux, 'user', reject)) return inside;
  return expectArray(linux[list], `linux.${list}`, reject)
    .map((mapping) => {
      const { containerID, hostID, size } = expectObject(mapping, `linux.${list}`, reject);
      if (typeof containerID !== 'number' || typeof hostID !== 'number' || typeof size !== 'number')
        return undefined;
      return inside >= containerID && inside < containerID + size ? hostID + inside - containerID : undefined;
    })
    .find((found) => found !== undefined);
}

function listCapabilities(spec: JsonObject, reject: Reject): readonly Privilege[] {
  // The first versions of the specification had a list here.
  const sets = Array.isArray(spec.capabilities)
    ? { bounding: spec.capabilities }
    : expectObject(spec.capabilities, 'process.capabilities', reject);
  const names = capabilitySets.flatMap((set) =>
    expectStrings((sets as JsonObject)[set], `process.capabilities.${set}`, reject),
  );
  return [...new Set(names)].sort().map((subject) => ({ kind: 'capability', subject }));
}

function listNamespaces(linux: JsonObject, reject: Reject): readonly Privilege[] {
  const namespaces = readNamespaces(linux, reject);
  const shared = isolatedNamespaces.filter(
    (type) => !namespaces.some((namespace) => namespace.type === type),
  );
  const joined = namespaces.map(({ path }) => path).filter((path) => path !== '');
  return [...shared, ...joined].map((subject) => ({ kind: 'namespace', subject }));
}

function hasNamespace(linux: JsonObject, type: string, reject: Reject): boolean {
  return readNamespaces(linux, reject).some((namespace) => namespace.type === type);
}

function readNamespaces(linux: JsonObject, reject: Reject): readonly { type: string; path: string }[] {
  return expectArray(linux.namespaces, 'linux.namespaces', reject).map((item, index) => {
    const where = `linux.namespaces[${index}]`;
    const { type, path } = expectObject(item, where, reject);
    return {
      type: expectString(type, `${where}.type`, reject),
      path: expectString(path, `${where}.path`, reject),
    };
  });
}

function listMounts(config: JsonObject, ownFolders: readonly string[], reject: Reject): readonly Privilege[] {
  return expectArray(config.mounts, 'mounts', reject).flatMap((item, index) => {
    const where = `mounts[${index}]`;
    const mount = expectObject(item, where, reject);
    const type = expectString(mount.type, `${where}.type`, reject);
    const source = simplifyPath(expectString(mount.source, `${where}.source`, reject));
    const options = expectStrings(mount.options, `${where}.options`, reject);
    const isBind = [type, ...options].some((word) => word === 'bind' || word === 'rbind');
    const ask = (subject: string, access: PathAccess): readonly Privilege[] =>
      ownFolders.some((folder) => subject === folder || subject.startsWith(`${folder}/`))
        ? []
        : [{ kind: 'host-path', subject, access }];
    const access = isReadOnlyMount(options) ? 'read-only' : 'writable';
    const hasWritableMounts = findSubmounts([type, ...options]) === 'writable';
    if (isBind) return ask(source, access === 'read-only' && hasWritableMounts ? 'partly-writable' : access);
    if (ownFilesystems.includes(type)) return [];
    const folders = readOverlayFolders(options);
    // The kernel ignores the source of an overlay.
    const hasSource = type !== 'overlay' || folders.length === 0;
    return [
      ...(hasSource ? ask(`${type} ${source}`, access) : []),
      ...folders.flatMap(({ path, isWritable }) =>
        ask(simplifyPath(path), isWritable ? 'writable' : 'read-only'),
      ),
    ];
  });
}

/**
 * Simplifies a path: `/a//b/../c/` becomes `/a/c`, so that a path below a folder of the container cannot lead out of
 * it.
 */
function simplifyPath(path: string): string {
  return path === '' ? '' : normalize(path).replace(/(.)\/$/, '$1');
}

function listDevices(linux: JsonObject, reject: Reject): readonly Privilege[] {
  const nodes = expectArray(linux.devices, 'linux.devices', reject).map((item, index) => {
    const where = `linux.devices[${index}]`;
    return expectString(expectObject(item, where, reject).path, `${where}.path`, reject);
  });
  const { devices } = expectObject(linux.resources, 'linux.resources', reject);
  const rules = expectArray(devices, 'linux.resources.devices', reject).map((rule) =>
    expectObject(rule, 'linux.resources.devices', reject),
  );
  const asked = [
    ...[...listAllowed(rules)].filter(
      ([numbers, access]) => access !== '' && !defaultNumbers.includes(numbers),
    ),
    ...[...new Set(nodes)]
      .filter((path) => !defaultDevices.includes(path))
      .map((path) => [path, fullAccess] as const),
  ];
  return asked.map(([subject, access]) => ({ kind: 'device', subject, access }));
}

/**
 * Applies the rules in their order: each one allows or denies some access to its devices.
 *
 * @returns the access to devices, by their numbers
 */
function listAllowed(rules: readonly JsonObject[]): ReadonlyMap<string, string> {
  const allowed = new Map<string, string>();
  for (const { allow, type, major, minor, access } of rules) {
    const isAllowed = allow === true;
    const named = selectAccess((letter) => typeof access !== 'string' || access.includes(letter));
    const numbers = [major, minor].map(formatNumber).join(':');
    if (typeof type === 'string' && type !== '' && type !== 'a') {
      const device = `${type} ${numbers}`;
      const before = allowed.get(device) ?? '';
      allowed.set(
        device,
        selectAccess((letter) => (named.includes(letter) ? isAllowed : before.includes(letter))),
      );
    } else if (isAllowed || (numbers === '*:*' && named === fullAccess)) {
      // runc ignores the numbers and the access of such a rule, crun obeys them.
      allowed.clear();
      if (isAllowed) allowed.set(allDevices, fullAccess);
    }
  }
  return allowed;
}

function selectAccess(isSelected: (letter: string) => boolean): string {
  return [...fullAccess].filter(isSelected).join('');
}

function formatNumber(number: unknown): string {
  return typeof number === 'number' && number >= 0 ? `${number}` : '*';
}

function listUnconfined(spec: JsonObject, linux: JsonObject, reject: Reject): readonly Privilege[] {
  const seccomp = expectObject(linux.seccomp, 'linux.seccomp', reject);
  const apparmor = expectString(spec.apparmorProfile, 'process.apparmorProfile', reject);
  const selinux = expectString(spec.selinuxLabel, 'process.selinuxLabel', reject);
  const masked = expectStrings(linux.maskedPaths, 'linux.maskedPaths', reject);
  const propagation = expectString(linux.rootfsPropagation, 'linux.rootfsPropagation', reject);
  const subjects = [
    ...(seccomp.defaultAction === undefined || seccomp.defaultAction === 'SCMP_ACT_ALLOW'
      ? ['no seccomp filter']
      : []),
    ...(spec.noNewPrivileges === true ? [] : ['setuid programs gain privileges']),
    ...(masked.length === 0 ? ['/proc is not masked'] : []),
    ...(propagation === 'shared' || propagation === 'rshared' ? ['mounts appear on the host'] : []),
    ...(apparmor === 'unconfined' ? ['no AppArmor profile'] : []),
    ...(selinux === '' ? [] : [`SELinux label ${selinux}`]),
  ];
  return subjects.map((subject) => ({ kind: 'unconfined', subject }));
}

function listHooks(config: JsonObject, reject: Reject): readonly Privilege[] {
  const hooks = expectObject(config.hooks, 'hooks', reject);
  return hookStages.flatMap((stage) =>
    expectArray(hooks[stage], `hooks.${stage}`, reject).map((item) => {
      const path = expectString(
        expectObject(item, `hooks.${stage}`, reject).path,
        `hooks.${stage}.path`,
        reject,
      );
      return { kind: 'hook', subject: `${path} (${stage})` } as const;
    }),
  );
}
