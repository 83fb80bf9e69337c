/**
 * JSON whose whole numbers keep all their digits: a runtime configuration has numbers of 64 bits, such as RLIM_INFINITY.
 * Numbers that a double cannot hold are `bigint`s.
 */
import { type JsonObject, parseJsonObject, type Reject } from './json-text.ts';

/** ECMAScript 2026, "JSON.parse source text access"; the compiler does not know it yet. */
interface ExactJson {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
  ): unknown;
  rawJSON(text: string): unknown;
}

const exact = JSON as unknown as ExactJson;

/** @throws the error of `reject`, as `parseJsonObject` */
export function parseExactJson(text: string, maxLength: number, reject: Reject): JsonObject {
  parseJsonObject(text, maxLength, reject);
  return exact.parse(text, (_, value, { source = '' }) =>
    typeof value === 'number' && !Number.isSafeInteger(value) && /^-?[0-9]+$/.test(source)
      ? BigInt(source)
      : value,
  ) as JsonObject;
}

/** @returns text with an indent of four spaces and a final newline */
export function formatExactJson(value: JsonObject): string {
  const format = (_: string, item: unknown): unknown =>
    typeof item === 'bigint' ? exact.rawJSON(String(item)) : item;
  return `${JSON.stringify(value, format, 4)}\n`;
}
