/** A rule with the function that finds its faults. The functions read any JSON: `check-shape.ts` reports wrong types. */
import { isJsonObject, type JsonObject } from '../../base/json-text.ts';
import type { Fault, Rule } from './finding.ts';

/** The facts beside the configuration that a rule may use. */
export interface LintContext {
  /** Whether the unit connects the service to a terminal. */
  readonly hasTerminal: boolean;
}

export interface ConfigRule extends Rule {
  readonly find: (config: JsonObject, context: LintContext) => readonly Fault[];
}

/** A value that both runtimes refuse. */
export const bothRefuse = { runc: 'refuses', crun: 'refuses' } as const;
export const bothStart = { runc: 'starts', crun: 'starts' } as const;
export const onlyRuncRefuses = { runc: 'refuses', crun: 'starts' } as const;
export const onlyCrunRefuses = { runc: 'starts', crun: 'refuses' } as const;
export const noStart = 'the runtimes do not start it';

export function readObject(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {};
}

/** @returns the objects of an array, each with its place */
export function readObjects(value: unknown, where: string): readonly (readonly [JsonObject, string])[] {
  return readList(value).map((item, index) => [readObject(item), `${where}[${index}]`] as const);
}

/** @returns the strings of an array, each with its place */
export function readTexts(value: unknown, where: string): readonly (readonly [string, string])[] {
  return readList(value).flatMap((item, index) =>
    typeof item === 'string' ? [[item, `${where}[${index}]`] as const] : [],
  );
}

export function readList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** @returns '' when it is no string; the runtimes treat an absent and an empty string alike */
export function readText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

export function readNumber(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}

export function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}

/** The values that occur more than once, with the place of each further one. */
export function findRepeated(
  values: readonly (readonly [string, string])[],
): readonly (readonly [string, string])[] {
  const seen = new Set<string>();
  return values.filter(([value]) => {
    const isRepeated = seen.has(value);
    seen.add(value);
    return isRepeated;
  });
}
