/** The deepest nesting that is accepted; a runtime configuration needs 8. */
const MAX_DEPTH = 64;
/** The most values and keys of a document; the index of an archive with a thousand images has far fewer. */
const MAX_VALUES = 250_000;

/** The limit that a document exceeds, and the place. */
interface JsonExcess {
  readonly offset: number;
  readonly problem: string;
}

/**
 * Checks the limits of a document before it is parsed: a parsed tree takes up to a hundred times the memory of its
 * text. The text may be anything; the parser refuses text that is not JSON.
 */
export function findJsonExcess(text: string): JsonExcess | undefined {
  if (isHarmless(text)) return undefined;
  let depth = 0;
  let values = 0;
  for (let offset = 0; offset < text.length; offset += 1) {
    switch (text.charCodeAt(offset)) {
      case 0x22: // "
        offset = findStringEnd(text, offset);
        break;
      case 0x5b: // [
      case 0x7b: // {
        depth += 1;
        values += 1;
        if (depth > MAX_DEPTH) return { offset, problem: `nested deeper than ${MAX_DEPTH} levels` };
        break;
      case 0x5d: // ]
      case 0x7d: // }
        depth -= 1;
        break;
      case 0x2c: // ,
      case 0x3a: // :
        values += 1;
        break;
    }
    if (values > MAX_VALUES) return { offset, problem: `more than ${MAX_VALUES} values` };
  }
  return undefined;
}

/** Whether a text is too short for the limits, and has too few brackets. Most are: this is several times faster. */
function isHarmless(text: string): boolean {
  return text.length <= MAX_VALUES && (text.match(/[[{]/g)?.length ?? 0) <= MAX_DEPTH;
}

/** @returns the offset of the closing quote, or the length of a text without one */
function findStringEnd(text: string, start: number): number {
  for (let offset = start + 1; offset < text.length; offset += 1) {
    const code = text.charCodeAt(offset);
    if (code === 0x22) return offset;
    if (code === 0x5c) offset += 1;
  }
  return text.length;
}
