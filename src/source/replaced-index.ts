/** A push puts one image under a tag. Where an index of several platforms has the tag, machines of the others lose theirs. */
import { createHash } from 'node:crypto';
import { isJsonObject, tryParseJson } from '../core/json-text.ts';
import { toPrintable } from '../core/printable.ts';
import type { Host } from '../host/host.ts';
import { captureProgram } from '../host/run-program.ts';
import { findSkopeo } from './skopeo.ts';
import { formatSourceFlags, type SkopeoOptions } from './source-flags.ts';

/** It is only for a warning; what keeps the registry from answering, the push will say. */
const LIMIT = '5s';

export interface ReplacedIndex {
  readonly digest: string;
  /** `linux/arm64`, printable, each once; attestations have none. */
  readonly platforms: readonly string[];
}

/**
 * Asks what a tag names now, with one request.
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
  const { exitCode, stdout } = await captureProgram(host, [
    findSkopeo(host),
    `--command-timeout=${LIMIT}`,
    ...['inspect', '--raw', ...formatSourceFlags(options), location],
  ]);
  const manifest = exitCode === 0 ? tryParseJson(stdout) : undefined;
  if (!isJsonObject(manifest) || !Array.isArray(manifest.manifests)) return undefined;
  return {
    digest: `sha256:${createHash('sha256').update(stdout).digest('hex')}`,
    platforms: [...new Set(manifest.manifests.flatMap(formatPlatform))],
  };
}

function formatPlatform(entry: unknown): string[] {
  const platform = isJsonObject(entry) ? entry.platform : undefined;
  if (!isJsonObject(platform) || platform.os === 'unknown') return [];
  const parts = [platform.os, platform.architecture, platform.variant];
  return [toPrintable(parts.filter((part) => typeof part === 'string').join('/'), 80)];
}
