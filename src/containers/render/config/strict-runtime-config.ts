import { formatJsonPlace, parseJson, type Reject } from '../../../base/json-text.ts';
import { walkJson } from '../../../base/json-walk.ts';
import { toPrintable } from '../../../base/printable.ts';
import { findIntendedKey, freeObjects } from './runtime-config-keys.ts';

interface Container {
  readonly kind: 'object' | 'array';
  /** The key under which it stands; an item of an array has the name of the array. */
  readonly name: string;
  readonly keys: Set<string>;
}

/**
 * Refuses a configuration that two runtimes can read in two ways. What is checked must be what runs: runc takes a key
 * without regard to its case and the last of equal ones, crun the first, and crun ends every string at a NUL. The file
 * itself is kept as it is, because a number of more than 53 bits would not survive being written again.
 *
 * @param text the configuration, which is JSON
 * @param reject makes the error that is thrown for a key that is there twice, a key that differs from a known one only by
 *   its case, a NUL, and half of a surrogate pair
 */
export function checkUnambiguous(text: string, reject: Reject): void {
  const open: Container[] = [];
  let lastKey = '';
  const read = (start: number, end: number): string => {
    const value = String(parseJson(text.slice(start, end)));
    const fault = findStringFault(value);
    if (fault !== undefined) throw reject(`${formatJsonPlace(text, start)}: a string contains ${fault}`);
    return value;
  };
  walkJson(text, {
    open: (kind) => {
      const parent = open.at(-1);
      open.push({ kind, name: parent?.kind === 'array' ? parent.name : lastKey, keys: new Set() });
    },
    close: () => {
      open.pop();
    },
    string: read,
    key: (start, end) => {
      const key = read(start, end);
      const object = open.at(-1);
      const place = (): string => formatJsonPlace(text, start);
      if (object?.keys.has(key)) throw reject(`${place()}: the key '${toPrintable(key)}' is there twice`);
      object?.keys.add(key);
      const intended = freeObjects.has(object?.name ?? '') ? undefined : findIntendedKey(key);
      if (intended !== undefined) {
        throw reject(`${place()}: the key '${toPrintable(key)}' must be written '${intended}'`);
      }
      lastKey = key;
    },
  });
}

function findStringFault(value: string): string | undefined {
  if (value.includes('\0')) return 'a NUL character';
  return value.isWellFormed() ? undefined : 'half of a surrogate pair';
}
