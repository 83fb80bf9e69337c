/** Gets the tokens of a document. Offsets count UTF-16 units from the start of the text; `end` is after the token. */
interface JsonVisitor {
  /** A key of an object; the offsets include its quotes. */
  key?(start: number, end: number): void;
  /** A string that is a value; the offsets include its quotes. */
  string?(start: number, end: number): void;
  open?(kind: 'object' | 'array'): void;
  close?(): void;
}

/**
 * Walks through a document token by token. `JSON.parse` reports neither the place of an error nor repeated keys.
 *
 * @returns the offset of the first character that is not valid there, `text.length` when the text ends too early;
 *   `undefined` when the text is JSON
 */
export function walkJson(text: string, visitor: JsonVisitor = {}): number | undefined {
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
      else if (character === closer) {
        closers.pop();
        visitor.close?.();
      } else return start;
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
      visitor.close?.();
      expected = 'separator';
      offset += 1;
    } else if (expected === 'key' || expected === 'first-key') {
      if (character !== '"') return start;
      const string = scanString(text, start);
      if (!string.complete) return string.end;
      visitor.key?.(start, string.end);
      offset = string.end;
      expected = 'colon';
    } else if (character === '{' || character === '[') {
      closers.push(character === '{' ? '}' : ']');
      visitor.open?.(character === '{' ? 'object' : 'array');
      expected = character === '{' ? 'first-key' : 'first-value';
      offset += 1;
    } else {
      const isString = character === '"';
      const scalar = isString ? scanString(text, start) : scanWord(text, start);
      if (!scalar.complete) return scalar.end;
      if (isString) visitor.string?.(start, scalar.end);
      offset = scalar.end;
      expected = 'separator';
    }
    offset = skipBlanks(text, offset);
  }
  return expected === 'separator' && closers.length === 0 ? undefined : text.length;
}

interface Scan {
  /** The offset after a complete token, else that of the first invalid character. */
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
