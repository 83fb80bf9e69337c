/**
 * Rewords messages of skopeo. Its versions use different sentences with the same meaning, and print values of Go. All of
 * them become one wording, for the patterns of `failure-table.ts` and for the user.
 */

const rewordings: readonly [words: RegExp, wording: string][] = [
  // Statistics about a connection that containers/image did not open again.
  [/\(heuristic tuning data: [^)]*\): /g, ''],
  [/\bError fetching blob:/g, 'fetching blob:'],
  [
    /(?:invalid status code from registry|received unexpected HTTP status:) ([0-9]{3})\b(?: \([A-Za-z' -]*\)| [A-Z][A-Za-z'-]*(?: [A-Za-z'-]+)*)?/g,
    'the registry answers $1',
  ],
  // The body of the answer follows, which newer versions quote. It is often empty.
  [/\bStatusCode: ([0-9]{3}), ?(?:""|$)/g, 'the registry answers $1'],
  [/\bStatusCode: ([0-9]{3}), /g, 'the registry answers $1: '],
  // An error of the resolver in Go's network library. The address of the name server is left out.
  [/(?:Get "?[^" ]*"?: )?dial tcp: lookup (\S+?)(?: on \S+)?: no such host/g, 'the host $1 is unknown'],
  [/(?:Get "?[^" ]*"?: )?dial tcp: lookup (\S+?)(?: on \S+)?: /g, 'looking up the host $1: '],
  // The code of an answer and its text often have the same words.
  [/(: [^:]+)\1$/, '$1'],
  [/\b(architecture|OS) "([^"]+)"/g, '$1 $2'],
  [/, variant ""/g, ''],
  // An error of Go's JSON decoder about the shape of a manifest. It names types of skopeo's source code.
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

/** Whether the connection broke more than once: containers/image had already opened it again before this error. */
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

/** @returns the index after the brace that closes the one at `from`; the length of the text when that is cut off */
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
