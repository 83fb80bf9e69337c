/** Checks that `config.json` separates the container from the host and from the store, as far as the file shows it. */
import { type RuntimeConfig, rejectConfig } from './runtime-config.ts';

/** Values of `linux.rootfsPropagation` that the runtimes know. */
const propagations = [
  '',
  'private',
  'rprivate',
  'slave',
  'rslave',
  'shared',
  'rshared',
  'unbindable',
  'runbindable',
];

/**
 * Checks that the root filesystem is read-only and at `rootfs`: its files are hard links into the store.
 *
 * @param path how errors call the file
 * @throws CONFIG_INVALID
 */
export function checkInstalledRoot(config: RuntimeConfig, path: string): void {
  const reject = rejectConfig(path);
  if (!config.rootReadonly) {
    throw reject('Only readonly images are supported: root.readonly must be true');
  }
  if (config.rootPath !== 'rootfs') {
    throw reject(`Path must be 'rootfs': root.path is '${config.rootPath}'`);
  }
}

/** Checks that the configuration names a command to run (compatibility X-12). @throws CONFIG_INVALID */
export function checkCommand(config: RuntimeConfig, path: string): void {
  if (config.args.length === 0) throw rejectConfig(path)('process.args must name the command to run');
}

/**
 * Checks that mounts happen in a namespace of the container. Without one, runc 1.1 mounts on the host, makes nothing
 * read-only, and changes how mounts of the host propagate. In the namespace of the host, it replaces the root of the
 * host.
 *
 * @param path how errors call the file
 * @throws CONFIG_INVALID
 */
export function checkMountNamespace(config: RuntimeConfig, path: string): void {
  const reject = rejectConfig(path);
  const namespace = config.namespaces.find(({ type }) => type === 'mount');
  if (namespace === undefined) {
    throw reject('linux.namespaces must name a mount namespace: without one the runtime mounts on the host');
  }
  if (config.namespaces.some(({ type, path: existing }) => type === 'mount' && existing !== '')) {
    throw reject('linux.namespaces: the mount namespace must be a new one, without a path');
  }
  if (!propagations.includes(config.rootPropagation)) {
    throw reject(`linux.rootfsPropagation '${config.rootPropagation}' is not supported`);
  }
}

/**
 * Lists the settings of the configuration that remove a protection. Images may have them; the person who installs an
 * image should know.
 */
export function listPrivilegeWarnings(config: RuntimeConfig): readonly string[] {
  const warnings = config.hostHooks.map(
    ({ list, path }) =>
      `config.json starts ${path} on the host, as root and outside the container (hooks.${list}).`,
  );
  if (hasSystemAdmin(config) && !isRootMapped(config)) {
    warnings.push(
      'config.json gives the service CAP_SYS_ADMIN: it can make its root filesystem writable, and so change the files of other containers and the store.',
    );
  }
  if (config.rootPropagation === 'shared' || config.rootPropagation === 'rshared') {
    warnings.push(
      `config.json shares its mounts with the host (linux.rootfsPropagation ${config.rootPropagation}): what the service mounts can appear on the host.`,
    );
  }
  return warnings;
}

/** crun accepts names of capabilities in upper and lower case. */
function hasSystemAdmin(config: RuntimeConfig): boolean {
  return config.capabilities.some((name) => /^(?:cap_)?sys_admin$/i.test(name));
}

/** Whether a user namespace maps root of the container to another user of the host, which owns no files of images. */
function isRootMapped(config: RuntimeConfig): boolean {
  const hasUsers = config.namespaces.some(({ type, path }) => type === 'user' && path === '');
  return hasUsers && config.mappedUsers.length > 0 && !config.mappedUsers.includes(0);
}
