/** The types of the variables that a manifest declares. */

interface VariableType {
  /** The end of "PORT=x is not ...". */
  readonly words: string;
  readonly accepts: (text: string) => boolean;
}

const types = {
  string: { words: 'text without NUL', accepts: (text) => !text.includes('\0') },
  int: {
    words: 'a whole number',
    accepts: (text) => /^-?[0-9]{1,16}$/.test(text) && Number.isSafeInteger(Number(text)),
  },
  port: {
    words: 'a port, which is a number from 1 to 65535',
    accepts: (text) => /^[1-9][0-9]{0,4}$/.test(text) && Number(text) <= 65535,
  },
  path: {
    words: "an absolute path without '..' and control characters",
    accepts: (text) =>
      /^\/[^\u0000-\u001f\u007f]*$/.test(text) && text.length < 4096 && !text.split('/').includes('..'),
  },
  bool: { words: 'true or false', accepts: (text) => text === 'true' || text === 'false' },
  size: {
    words: 'a size in bytes, or with K, M, G or T, such as 512M',
    accepts: (text) => /^[0-9]{1,15}[KMGT]?$/.test(text),
  },
  duration: {
    words: 'a time in seconds, or with ms, s, min, h or d, such as 90s or 1h30min',
    accepts: (text) => /^(?:[0-9]{1,15}|(?:[0-9]{1,15}(?:ms|s|min|h|d))+)$/.test(text),
  },
} as const satisfies Readonly<Record<string, VariableType>>;

export type VariableTypeName = keyof typeof types;

export const variableTypeNames: readonly string[] = Object.keys(types);

export function isVariableTypeName(name: string): name is VariableTypeName {
  return Object.hasOwn(types, name);
}

/** @returns what a value of that type is, when the text is none; otherwise `undefined` */
export function findTypeFault(type: VariableTypeName, text: string): string | undefined {
  return types[type].accepts(text) ? undefined : types[type].words;
}
