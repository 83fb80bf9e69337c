/** Finds the index that a push of one image would replace: machines of its other platforms then find no image under the tag. */

import { isJsonObject, tryParseJson } from '../base/json-text.ts';
import { toPrintable } from '../base/printable.ts';
import type { Host } from '../host/host.ts';
import { computeDigest, type Digest } from '../image/digest.ts';
import { askBriefly } from './skopeo/skopeo.ts';
import { formatSourceFlags, type SkopeoOptions } from './skopeo/source-flags.ts';

interface ReplacedIndex {
  readonly digest: Digest;
  /** Platforms of the index, each once and printable: `linux/arm64`. Attestations have none. */
  readonly platforms: readonly string[];
}

/**
 * Asks the registry, with one request, what a tag names now. Failures of the registry are not reported: the push reports them.
 *
 * @param location `docker://registry/name:tag`
 * @returns `undefined` when the tag is not an index or the registry does not answer
 * @throws AtomicError INTERRUPTED, TOOL_MISSING
 */
export async function findReplacedIndex(
  host: Host,
  location: string,
  options: SkopeoOptions,
): Promise<ReplacedIndex | undefined> {
  const raw = await askBriefly(host, ['inspect', '--raw', ...formatSourceFlags(options), location]);
  const manifest = raw === undefined ? undefined : tryParseJson(raw);
  if (raw === undefined || !isJsonObject(manifest) || !Array.isArray(manifest.manifests)) return undefined;
  return {
    digest: computeDigest('sha256', raw),
    platforms: [...new Set(manifest.manifests.flatMap(formatPlatform))],
  };
}

function formatPlatform(entry: unknown): string[] {
  const platform = isJsonObject(entry) ? entry.platform : undefined;
  if (!isJsonObject(platform) || platform.os === 'unknown') return [];
  const parts = [platform.os, platform.architecture, platform.variant];
  return [toPrintable(parts.filter((part) => typeof part === 'string').join('/'), 80)];
}
