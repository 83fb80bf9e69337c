/** A push puts one image under a tag. Where an index of several platforms has the tag, machines of the others lose theirs. */
import { createHash } from 'node:crypto';
import { isJsonObject, tryParseJson } from '../base/json-text.ts';
import { toPrintable } from '../base/printable.ts';
import type { Host } from '../host/host.ts';
import { askBriefly } from './skopeo/skopeo.ts';
import { formatSourceFlags, type SkopeoOptions } from './skopeo/source-flags.ts';

interface ReplacedIndex {
  readonly digest: string;
  /** `linux/arm64`, printable, each once; attestations have none. */
  readonly platforms: readonly string[];
}

/**
 * Asks what a tag names now, with one request; what keeps the registry from answering, the push will say.
 *
 * @param location `docker://registry/name:tag`
 * @returns undefined when it is no index, and when the registry does not say
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
    digest: `sha256:${createHash('sha256').update(raw).digest('hex')}`,
    platforms: [...new Set(manifest.manifests.flatMap(formatPlatform))],
  };
}

function formatPlatform(entry: unknown): string[] {
  const platform = isJsonObject(entry) ? entry.platform : undefined;
  if (!isJsonObject(platform) || platform.os === 'unknown') return [];
  const parts = [platform.os, platform.architecture, platform.variant];
  return [toPrintable(parts.filter((part) => typeof part === 'string').join('/'), 80)];
}
