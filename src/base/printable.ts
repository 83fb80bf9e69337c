import { isUtf8 } from 'node:buffer';

const defaultLength = 2000;

/**
 * Makes text from outside (an image, a registry, a child process) safe for one line of a terminal or a log.
 *
 * The order matters. Control characters are removed first, so that they cannot hide a URL from the redaction. The text is
 * cut last, so that the cut cannot remove the `@` that marks a password.
 *
 * @param text any text; line breaks and tabs become one space
 * @param maxLength the longest result in UTF-16 units; a longer text ends in `...`
 * @returns text without control characters, direction overrides and passwords
 */
export function toPrintable(text: string, maxLength = defaultLength): string {
  if (text.length <= maxLength && !text.includes('//') && plainAscii.test(text)) return text;
  const clean = text
    .toWellFormed()
    .replace(ansiSequence, '')
    .replace(/[\t\n\v\f\r\u0085\u2028\u2029]+/g, ' ')
    .replace(invisible, '');
  return truncate(redactCredentials(clean), maxLength);
}

/**
 * Formats the name of a file, which may be any bytes: a byte that is not printable text becomes `\xNN`.
 *
 * @param maxLength the longest result in UTF-16 units
 */
export function formatFileName(name: Buffer, maxLength = 200): string {
  // The result cuts off everything after this, also half of a character.
  const start = name.subarray(0, 4 * maxLength);
  const escaped = isUtf8(name)
    ? start.toString('utf8').replace(/[\\\u0000-\u001f\u007f]/g, escapeByte)
    : start.toString('latin1').replace(/[\\\u0000-\u001f\u007f-\u00ff]/g, escapeByte);
  return toPrintable(escaped, maxLength);
}

function escapeByte(character: string): string {
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
}

/** Replaces the user and the password of every URL: `https://user:pass@host/` becomes `https://***@host/`. */
export function redactCredentials(text: string): string {
  return text.replace(/(?<![a-z0-9+.-])([a-z][a-z0-9+.-]*:\/\/)[^\s/]*@/gi, '$1***@');
}

/** Matches most texts. They need no cleaning, and without `//` they hold no URL. */
const plainAscii = /^[ -~]*$/;

/** `ESC [ ... letter` and `ESC ] ... BEL`: colours, cursor movement, window titles. */
const ansiSequence = /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)/g;

/** C0, DEL and C1; direction marks, embeddings, overrides and isolates; zero-width space, word joiner, BOM. */
const invisible =
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]/g;

function truncate(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text;
  return `${text.slice(0, Math.max(0, maxLength - 3)).replace(/[\ud800-\udbff]$/, '')}...`;
}
