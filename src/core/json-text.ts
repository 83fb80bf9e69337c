/** A JSON object of unknown shape. */
export type JsonObject = { readonly [key: string]: unknown };

/** Turns a problem, such as `line 3, column 7: unexpected '}'`, into the error of the file that was read. */
export type Reject = (problem: string) => Error;

/**
 * Parses JSON that came with an image. Its syntax errors name the place, because the text is often the result of a
 * template and on no disk.
 *
 * @param text the document
 * @param maxLength longest text that is looked at, in UTF-16 units
 * @param reject makes the error that is thrown when the text is too long, not JSON, or not an object
 */
export function parseJsonObject(text: string, maxLength: number, reject: Reject): JsonObject {
  if (text.length > maxLength) throw reject(`the file is longer than ${maxLength} characters`);
  const value = parseJson(text, reject);
  if (!isJsonObject(value)) throw reject('the document must be an object');
  return value;
}

/** @returns `undefined` when it is not JSON */
export function tryParseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Whether a parsed value is an object, and not an array or null. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseJson(text: string, reject: Reject): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw reject(describeJsonProblem(text));
  }
}

/** `line L, column C: unexpected X` for the first place where `text` stops being JSON; columns count characters. */
function describeJsonProblem(text: string): string {
  const offset = findJsonProblem(text);
  const before = text.slice(0, offset).split('\n');
  const column = [...(before.at(-1) ?? '')].length + 1;
  return `line ${before.length}, column ${column}: unexpected ${describeCharacter(text, offset)}`;
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

/** Finds the offset of the first character that no JSON document can have there; `text.length` at an early end. */
function findJsonProblem(text: string): number {
  const closers: string[] = [];
  let expected: 'value' | 'first-value' | 'key' | 'first-key' | 'colon' | 'separator' = 'value';
  let offset = skipBlanks(text, 0);
  while (offset < text.length) {
    const character = text.charAt(offset);
    const start = offset;
    if (expected === 'separator') {
      const closer = closers.at(-1);
      if (closer === undefined) return start;
      if (character === ',') expected = closer === '}' ? 'key' : 'value';
      else if (character === closer) closers.pop();
      else return start;
      offset += 1;
    } else if (expected === 'colon') {
      if (character !== ':') return start;
      expected = 'value';
      offset += 1;
    } else if (
      (expected === 'first-key' && character === '}') ||
      (expected === 'first-value' && character === ']')
    ) {
      closers.pop();
      expected = 'separator';
      offset += 1;
    } else if (expected === 'key' || expected === 'first-key') {
      if (character !== '"') return start;
      const string = scanString(text, start);
      if (!string.complete) return string.end;
      offset = string.end;
      expected = 'colon';
    } else if (character === '{' || character === '[') {
      closers.push(character === '{' ? '}' : ']');
      expected = character === '{' ? 'first-key' : 'first-value';
      offset += 1;
    } else {
      const scalar = character === '"' ? scanString(text, start) : scanWord(text, start);
      if (!scalar.complete) return scalar.end;
      offset = scalar.end;
      expected = 'separator';
    }
    offset = skipBlanks(text, offset);
  }
  return text.length;
}

interface Scan {
  /** Offset behind the token, or of the character that does not belong to it. */
  readonly end: number;
  readonly complete: boolean;
}

function scanString(text: string, start: number): Scan {
  let offset = start + 1;
  while (offset < text.length) {
    const character = text.charAt(offset);
    if (character === '"') return { end: offset + 1, complete: true };
    if (character < ' ') return { end: offset, complete: false };
    if (character === '\\') {
      const escapes = /["\\/bfnrt]|u[0-9a-fA-F]{4}/y;
      escapes.lastIndex = offset + 1;
      if (!escapes.test(text)) return { end: offset + 1, complete: false };
      offset = escapes.lastIndex;
    } else offset += 1;
  }
  return { end: text.length, complete: false };
}

function scanWord(text: string, start: number): Scan {
  const word = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
  word.lastIndex = start;
  return word.test(text) ? { end: word.lastIndex, complete: true } : { end: start, complete: false };
}

function skipBlanks(text: string, start: number): number {
  let offset = start;
  while (offset < text.length && ' \t\n\r'.includes(text.charAt(offset))) offset += 1;
  return offset;
}
