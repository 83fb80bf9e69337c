import type { JsonObject } from '../../../base/json-text.ts';
import { ALL } from './capability-options.ts';

/** Sets that a root process uses; another user keeps a capability through `execve` only with all five. */
const rootSets = ['bounding', 'effective', 'permitted'];
const userSets = [...rootSets, 'inheritable', 'ambient'];

type Sets = Readonly<Record<string, readonly string[]>>;

/**
 * Adds and drops capabilities. `ALL` counts first: `--cap-drop ALL --cap-add NET_ADMIN` leaves one.
 *
 * @param uid of the process in the container
 * @param all the capabilities of the kernel
 */
export function applyCapabilities(
  capabilities: JsonObject,
  { added, dropped }: { readonly added: readonly string[]; readonly dropped: readonly string[] },
  uid: number,
  all: readonly string[],
): JsonObject {
  if (added.length + dropped.length === 0) return capabilities;
  const wanted = added.includes(ALL) ? all : added;
  const receiving = uid === 0 ? rootSets : userSets;
  const names = [...new Set([...Object.keys(capabilities), ...(wanted.length > 0 ? receiving : [])])];
  const change = (name: string): readonly string[] => {
    // crun accepts names in upper and lower case.
    const held = readSet(capabilities, name).map((capability) => capability.toUpperCase());
    const base = dropped.includes(ALL) ? [] : held;
    const grown = receiving.includes(name) ? [...new Set([...base, ...wanted])] : base;
    return grown.filter((capability) => !dropped.includes(capability));
  };
  return Object.fromEntries(names.map((name) => [name, change(name)]));
}

/**
 * Gives a process that becomes root the capabilities that it may have, and takes them from one that becomes another user:
 * the kernel would take them at `execve`, except for the ambient ones.
 */
export function adaptToUser(capabilities: JsonObject, before: number, after: number): JsonObject {
  if ((before === 0) === (after === 0)) return capabilities;
  const held = readSet(capabilities, after === 0 ? 'bounding' : 'ambient');
  const sets: Sets = { effective: held, permitted: held };
  return held.length === 0 ? withoutKeys(capabilities, Object.keys(sets)) : { ...capabilities, ...sets };
}

function readSet(capabilities: JsonObject, name: string): readonly string[] {
  const set = capabilities[name];
  return Array.isArray(set) ? set.map(String) : [];
}

function withoutKeys(object: JsonObject, keys: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)));
}
