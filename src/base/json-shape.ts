import { isJsonObject, type JsonObject, type Reject } from './json-text.ts';

/**
 * Checks of the shape of parsed JSON. Each takes the value, its place in the document (`config.Env`), and `reject`, which
 * makes the error that is thrown. `undefined` and `null` both count as absent: Go programs write `null` for empty lists.
 */

export function expectObject(value: unknown, where: string, reject: Reject): JsonObject {
  if (isAbsent(value)) return {};
  if (!isJsonObject(value)) throw reject(`${where} must be an object`);
  return value;
}

export function expectArray(value: unknown, where: string, reject: Reject): readonly unknown[] {
  if (isAbsent(value)) return [];
  if (!Array.isArray(value)) throw reject(`${where} must be an array`);
  return value;
}

export function expectString(value: unknown, where: string, reject: Reject): string {
  if (isAbsent(value)) return '';
  if (typeof value !== 'string') throw reject(`${where} must be a string`);
  return value;
}

export function expectBoolean(value: unknown, where: string, fallback: boolean, reject: Reject): boolean {
  if (isAbsent(value)) return fallback;
  if (typeof value !== 'boolean') throw reject(`${where} must be true or false`);
  return value;
}

export function expectStrings(value: unknown, where: string, reject: Reject): readonly string[] {
  return expectArray(value, where, reject).map((item, index) => {
    if (typeof item !== 'string') throw reject(`${where}[${index}] must be a string`);
    return item;
  });
}

export function expectStringMap(
  value: unknown,
  where: string,
  reject: Reject,
): Readonly<Record<string, string>> {
  const entries = Object.entries(expectObject(value, where, reject)).map(([key, item]) => {
    if (typeof item !== 'string') throw reject(`${where}.${key} must be a string`);
    return [key, item] as const;
  });
  // An assignment would set the prototype for the key `__proto__`.
  return Object.fromEntries(entries);
}

function isAbsent(value: unknown): value is undefined | null {
  return value === undefined || value === null;
}
