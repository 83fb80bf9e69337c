/** Gives a `config.json` its seccomp filter. */
import type { JsonObject } from '../../../base/json-text.ts';
import { buildSeccompFilter, type FilterMachine, type SeccompProfile } from './seccomp-profile.ts';

/** `unconfined`: no filter. */
export type FilterChoice = SeccompProfile | 'unconfined';

/** @param config of a shape that was checked; its capabilities decide which rules of the profile apply */
export function applySeccomp(config: JsonObject, choice: FilterChoice, machine: FilterMachine): JsonObject {
  const { seccomp: _, ...linux } = (config.linux ?? {}) as JsonObject;
  if (choice === 'unconfined') return { ...config, linux };
  const filter = buildSeccompFilter(choice, machine, listBounding(config));
  return { ...config, linux: { ...linux, seccomp: filter } };
}

/** The first versions of the specification had a list in place of the five sets. */
function listBounding(config: JsonObject): readonly string[] {
  const { capabilities } = (config.process ?? {}) as JsonObject;
  const set = Array.isArray(capabilities) ? capabilities : ((capabilities ?? {}) as JsonObject).bounding;
  // crun accepts names in upper and lower case.
  return Array.isArray(set) ? set.map((name) => String(name).toUpperCase()) : [];
}
