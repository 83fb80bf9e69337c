/**
 * The sentences of skopeo differ between its versions where they mean the same, and hold values of Go programs. Here
 * they become one wording, which the patterns of `proxy-failure.ts` and people read.
 */

const rewordings: readonly [words: RegExp, wording: string][] = [
  // How far a connection had come when containers/image gave up renewing it.
  [/\(heuristic tuning data: [^)]*\): /g, ''],
  [/\bError fetching blob:/g, 'fetching blob:'],
  [
    /(?:invalid status code from registry|received unexpected HTTP status:) ([0-9]{3})\b(?: \([A-Za-z' -]*\)| [A-Z][A-Za-z'-]*(?: [A-Za-z'-]+)*)?/g,
    'the registry answers $1',
  ],
  // The text of an answer that is not for programs follows, quoted by newer versions; often it is empty.
  [/\bStatusCode: ([0-9]{3}), ?(?:""|$)/g, 'the registry answers $1'],
  [/\bStatusCode: ([0-9]{3}), /g, 'the registry answers $1: '],
  // What the resolver says to Go's network library; the address of the name server is of no use.
  [/(?:Get "?[^" ]*"?: )?dial tcp: lookup (\S+?)(?: on \S+)?: no such host/g, 'the host $1 is unknown'],
  [/(?:Get "?[^" ]*"?: )?dial tcp: lookup (\S+?)(?: on \S+)?: /g, 'looking up the host $1: '],
  // The code of an answer and its text are often the same words.
  [/(: [^:]+)\1$/, '$1'],
  [/\b(architecture|OS) "([^"]+)"/g, '$1 $2'],
  [/, variant ""/g, ''],
  // A manifest of another shape, as Go's reader of JSON sees it: the types are those of its own source.
  [
    /\bjson: cannot unmarshal (.+?) into Go struct field (?:[A-Z]\w*\.)*(\S+) of type \S+$/,
    'the value of $2 must not be of the type $1',
  ],
  [/\bjson: cannot unmarshal (.+?) into Go value of type \S+$/, 'it must not be of the type $1'],
];

/** @param words printable */
export function rewordSkopeo(words: string): string {
  return rewordings.reduce(
    (text, [pattern, wording]) => text.replace(pattern, wording),
    removeGoStructures(words),
  );
}

/** The connection broke more than once: containers/image has opened it anew before it said so. */
export function hasReconnected(words: string): boolean {
  return words.includes('(heuristic tuning data: ');
}

/** `: gpgme.Signature{Summary:128, Fingerprint:"0BF4...", Status:gpgme.Error{err:0x9}}` becomes ` (key 0BF4...)`. */
function removeGoStructures(words: string): string {
  const start = /(?:: |, |\s)?&?\b[a-z]\w*\.[A-Z]\w*\{/.exec(words);
  if (start === null) return words;
  const end = findClosingBrace(words, start.index + start[0].length);
  const structure = words.slice(start.index, end);
  const key = /\bFingerprint:"([0-9A-Fa-f]+)"/.exec(structure)?.[1];
  const named = key === undefined ? '' : ` (key ${key})`;
  return `${words.slice(0, start.index)}${named}${removeGoStructures(words.slice(end))}`;
}

/** @returns the index behind the brace that closes what is open at `from`; the end of a text that was cut */
function findClosingBrace(text: string, from: number): number {
  let depth = 1;
  let isQuoted = false;
  for (let index = from; index < text.length; index++) {
    const character = text[index];
    if (isQuoted && character === '\\') index++;
    else if (character === '"') isQuoted = !isQuoted;
    else if (!isQuoted && character === '{') depth++;
    else if (!isQuoted && character === '}' && --depth === 0) return index + 1;
  }
  return text.length;
}
