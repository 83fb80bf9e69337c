/** `--user`, `--entrypoint` and the arguments after `--`. */
import { isJsonObject, tryParseJson } from '../../../base/json-text.ts';
import { rejectOption } from './service-options.ts';

/** @throws BAD_VALUE for text that is no `USER[:GROUP]`; the image decides whether the user exists */
export function parseUser(value: string): string {
  if (/^[^:\s\p{Cc}]+(?::[^:\s\p{Cc}]+)?$/u.test(value)) return value;
  throw rejectOption(
    'user',
    value,
    'it does not have the form USER[:GROUP]',
    'Write names of the image, or numbers: --user 1000:1000',
  );
}

/** @param value a program, or its words as a JSON array; @throws BAD_VALUE */
export function parseEntrypoint(value: string): readonly string[] {
  const parsed = value.startsWith('[') ? tryParseJson(value) : [value];
  const reject = (reason: string): Error =>
    rejectOption(
      'entrypoint',
      value,
      reason,
      `Write a program, --entrypoint /bin/server, or its words, --entrypoint '["/bin/server", "-v"]'.`,
    );
  if (!Array.isArray(parsed) || isJsonObject(parsed) || !parsed.every((word) => typeof word === 'string')) {
    throw reject('it is no JSON array of words');
  }
  if (parsed.length === 0 || parsed[0] === '') throw reject('it names no program');
  if (parsed.some((word) => word.includes('\0'))) throw reject('it contains a NUL character');
  return parsed;
}

/** @throws BAD_VALUE */
export function parseServiceArguments(words: readonly string[]): readonly string[] {
  const wrong = words.find((word) => word.includes('\0') || !word.isWellFormed());
  if (wrong === undefined) return words;
  throw rejectOption('args', wrong, 'it is not UTF-8 text', 'Leave it out.');
}
