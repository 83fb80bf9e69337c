import { findJsonExcess } from './json-bounds.ts';
import { walkJson } from './json-walk.ts';

/** A JSON object of unknown shape. */
export type JsonObject = { readonly [key: string]: unknown };

/** Makes the error of a file from a problem, such as `line 3, column 7: unexpected '}'`. */
export type Reject = (problem: string) => Error;

/**
 * Parses JSON that came with an image. Errors name the line and the column: the text is often the result of a template,
 * which is in no file.
 *
 * @param text the document
 * @param maxLength the longest text that is accepted, in UTF-16 units
 * @param reject makes the error that is thrown when the text is too long, not JSON, or not an object
 */
export function parseJsonObject(text: string, maxLength: number, reject: Reject): JsonObject {
  if (text.length > maxLength) throw reject(`the file is longer than ${maxLength} characters`);
  const excess = findJsonExcess(text);
  if (excess !== undefined) throw reject(`${formatJsonPlace(text, excess.offset)}: ${excess.problem}`);
  const value = parseLocated(text, reject);
  if (!isJsonObject(value)) throw reject('the document must be an object');
  return value;
}

/**
 * Parses JSON with limits on its depth and its number of values. All code uses the functions of this file in place of
 * `JSON.parse`.
 *
 * @throws SyntaxError when the text is not JSON or exceeds the limits
 */
export function parseJson(text: string): unknown {
  const excess = findJsonExcess(text);
  if (excess !== undefined) throw new SyntaxError(excess.problem);
  return JSON.parse(text);
}

/** @returns `undefined` when the text is not JSON, or exceeds the limits of `parseJson` */
export function tryParseJson(text: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Whether a parsed value is an object, and not an array or null. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `line L, column C`; columns count characters. */
export function formatJsonPlace(text: string, offset: number): string {
  let line = 1;
  let start = 0;
  for (let end = text.indexOf('\n'); end >= 0 && end < offset; end = text.indexOf('\n', start)) {
    line += 1;
    start = end + 1;
  }
  let column = 1;
  for (const _ of text.slice(start, offset)) column += 1;
  return `line ${line}, column ${column}`;
}

function parseLocated(text: string, reject: Reject): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw reject(describeJsonProblem(text));
  }
}

/** @returns `line L, column C: unexpected X` for the first invalid character */
function describeJsonProblem(text: string): string {
  const offset = walkJson(text) ?? text.length;
  return `${formatJsonPlace(text, offset)}: unexpected ${describeCharacter(text, offset)}`;
}

function describeCharacter(text: string, offset: number): string {
  const code = text.codePointAt(offset);
  if (code === undefined) return 'end of the file';
  if (code === 0x0a) return 'end of the line';
  if (code < 0x20 || (code >= 0x7f && code < 0xa0)) {
    return `character U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
  }
  return `'${String.fromCodePoint(code).toWellFormed()}'`;
}
