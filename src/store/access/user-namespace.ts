/**
 * Finds the user of the host that root of a container's own user namespace is. runc looks for the root filesystem as
 * that user.
 *
 * @param config value of a `config.json`
 * @returns `undefined` when there is no such namespace, root is not mapped, or is root of the host
 */
export function findMappedRoot(config: unknown): number | undefined {
  const linux = readKey(config, 'linux');
  const namespaces = readKey(linux, 'namespaces');
  const mappings = readKey(linux, 'uidMappings');
  if (!Array.isArray(namespaces) || !Array.isArray(mappings)) return undefined;
  if (!namespaces.some((namespace) => readKey(namespace, 'type') === 'user')) return undefined;
  const root = mappings.find((mapping) => readKey(mapping, 'containerID') === 0);
  const user = readKey(root, 'hostID');
  return typeof user === 'number' && Number.isInteger(user) && user > 0 && user < NO_USER ? user : undefined;
}

const NO_USER = 0xffffffff;

function readKey(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return (value as Readonly<Record<string, unknown>>)[key];
}
