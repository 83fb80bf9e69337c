/** Lists the repository's tags when the requested one does not exist. */
import { AtomicError } from '../base/errors.ts';
import { isJsonObject, tryParseJson } from '../base/json-text.ts';
import { toPrintable } from '../base/printable.ts';
import type { Host } from '../host/host.ts';
import type { ImageReference } from '../image/reference.ts';
import { askBriefly } from './skopeo/skopeo.ts';
import { formatSourceFlags, type SkopeoOptions } from './skopeo/source-flags.ts';

const SHOWN_TAGS = 8;

/**
 * @param reference full name with the missing tag
 * @param error error of the registry
 * @returns the error with a hint that names existing tags; `error` itself when the registry does not list them
 * @throws AtomicError INTERRUPTED, TOOL_MISSING
 */
export async function hintAtTags(
  host: Host,
  { repository, digest }: ImageReference,
  error: AtomicError,
  options: SkopeoOptions,
): Promise<AtomicError> {
  if (digest !== undefined) return error;
  // Some repositories have thousands of tags and send a hundred at a time, so the time is limited.
  const list = await askBriefly(host, ['list-tags', ...formatSourceFlags(options), `docker://${repository}`]);
  const answer = list === undefined ? undefined : tryParseJson(list);
  const tags = isJsonObject(answer) && Array.isArray(answer.Tags) ? answer.Tags.map(String) : [];
  if (tags.length === 0) return error;
  return new AtomicError(error.code, error.message, {
    hint: `${toPrintable(formatTags(tags))}; \`skopeo list-tags docker://${repository}\` shows them.`,
  });
}

/** `latest` and the highest numbers first. */
function formatTags(tags: readonly string[]): string {
  const { compare } = new Intl.Collator('en', { numeric: true });
  const rank = (tag: string): number => (tag === 'latest' ? 0 : 1);
  const sorted = [...tags].sort((a, b) => rank(a) - rank(b) || compare(b, a));
  const rest = sorted.length - SHOWN_TAGS;
  const shown = sorted.slice(0, SHOWN_TAGS).join(', ');
  return `It has the tags ${shown}${rest > 0 ? ` and ${rest} more` : ''}`;
}
