import { formatJsonPlace, parseJson, type Reject } from '../../../base/json-text.ts';
import { walkJson } from '../../../base/json-walk.ts';
import { toPrintable } from '../../../base/printable.ts';
import { findIntendedKey, freeObjects } from './runtime-config-keys.ts';

interface Container {
  readonly kind: 'object' | 'array';
  /** The key of the value; an item of an array has the key of the array. */
  readonly name: string;
  readonly keys: Set<string>;
}

/**
 * Refuses a configuration that two runtimes can read in two ways, because the checks must read it as the runtime does:
 * runc ignores the case of a key and uses the last of equal keys, crun uses the first, and crun ends every string at a
 * NUL. The file itself is installed unchanged, because writing it again would change numbers of more than 53 bits.
 *
 * @param text the configuration, which is JSON
 * @param reject builds the error for a key that occurs twice, a key that differs from a known key only by case, a NUL,
 *   and half of a surrogate pair
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
