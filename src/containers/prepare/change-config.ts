/** Changes the rendered `config.json` as the administrator wants: first by the patches of the host, then by the options. */

import { AtomicError } from '../../base/errors.ts';
import { formatExactJson, parseExactJson } from '../../base/exact-json.ts';
import { isJsonObject, type JsonObject, type Reject } from '../../base/json-text.ts';
import { applySeccomp } from '../render/config/apply-seccomp.ts';
import { parseRuntimeConfig, type RuntimeConfig, simplifyPath } from '../render/config/runtime-config.ts';
import { buildOptionMounts } from '../render/options/apply-mounts.ts';
import { applyOptions, type OptionFacts } from '../render/options/apply-options.ts';
import type { ServiceChanges } from '../render/options/parse-options.ts';
import type { ServiceOptions } from '../render/options/service-options.ts';
import { type ConfigPatch, rejectPatch } from './read-patches.ts';
import type { SeccompFacts } from './read-seccomp.ts';

const MAX_LENGTH = 4 * 1024 * 1024;

export interface ConfigChanges {
  readonly patches: readonly ConfigPatch[];
  readonly options: ServiceOptions;
  /** `options`, parsed. */
  readonly changes: ServiceChanges;
  readonly facts: OptionFacts;
  readonly seccomp: SeccompFacts;
}

/** The time to stop belongs to the unit. */
export function changesConfig({ patches, options }: Pick<ConfigChanges, 'patches' | 'options'>): boolean {
  return patches.length > 0 || Object.keys(options).some((name) => name !== 'stop-timeout');
}

/**
 * @param text of the configuration before the changes
 * @param path how errors call it
 * @throws CONFIG_INVALID for a text or a patch that is not valid, BAD_VALUE for an option that contradicts the text
 */
export function changeConfig(text: string, path: string, changed: ConfigChanges): string {
  const { patches, changes, facts, seccomp } = changed;
  // Only a text with one meaning can be changed: a key that is there twice would be lost.
  parseRuntimeConfig(text, path);
  const unexpected: Reject = (problem) => new AtomicError('CONFIG_INVALID', `${path}: ${problem}`);
  const patched = patches.reduce(applyPatch, parseExactJson(text, MAX_LENGTH, unexpected));
  const options = applyOptions(patched, changes, facts);
  const filter = seccomp.given ?? (patches.some(changesFilter) ? undefined : seccomp.byDefault);
  return formatExactJson(filter === undefined ? options : applySeccomp(options, filter, seccomp.machine));
}

/** Gives the default configuration the default filter, where this host has one. */
export function addDefaultFilter(text: string, { byDefault, machine }: SeccompFacts): string {
  if (byDefault === undefined) return text;
  const unexpected: Reject = (problem) => new Error(problem);
  return formatExactJson(applySeccomp(parseExactJson(text, MAX_LENGTH, unexpected), byDefault, machine));
}

function changesFilter({ content: { linux } }: ConfigPatch): boolean {
  return isJsonObject(linux) && 'seccomp' in linux;
}

function applyPatch(config: JsonObject, { content, path }: ConfigPatch): JsonObject {
  const patched = mergePatch(config, content);
  const reject = rejectPatch(path);
  if (!isJsonObject(patched)) throw reject('the document must be an object');
  if ('root' in content) requireSameRoot(patched.root, reject);
  parseRuntimeConfig(formatExactJson(patched), path);
  return patched;
}

/** The files of the root are hard links into the store. */
function requireSameRoot(root: unknown, reject: Reject): void {
  if (!isJsonObject(root) || root.readonly !== true) {
    throw reject('it makes the root filesystem writable (root.readonly must be true)');
  }
  if (root.path !== 'rootfs') throw reject("it changes root.path, which must be 'rootfs'");
}

/** Names the option of each mount that an option has added, for messages. */
export function nameOptionMounts(config: RuntimeConfig, changes: ServiceChanges): RuntimeConfig {
  const options = new Map(
    buildOptionMounts(changes).map(({ option, mount }) => [mount.destination, option] as const),
  );
  const mounts = config.mounts.map((mount) => {
    const option = options.get(simplifyPath(mount.destination));
    return option === undefined ? mount : { ...mount, option };
  });
  return { ...config, mounts };
}

/** Applies a JSON merge patch (RFC 7396): objects are merged, null removes a key, everything else replaces. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isJsonObject(patch)) return patch;
  const merged = new Map(isJsonObject(target) ? Object.entries(target) : []);
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key);
    else merged.set(key, mergePatch(merged.get(key), value));
  }
  return Object.fromEntries(merged);
}
