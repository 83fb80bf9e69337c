/** Rules for the names in `/exports`: of its files, of the keys of `manifest.json`, and of the default values. */
import type { JsonObject } from '../../base/json-text.ts';
import { findSuggestion } from '../../base/suggest.ts';
import { listUnknownKeys } from '../render/exports-manifest.ts';
import { forcedVariables, systemVariables } from '../render/values/values.ts';
import { buildExportsFinding } from './exports-rules.ts';
import type { Finding } from './finding.ts';

export const exportsNames: readonly string[] = [
  ...[
    'config.json',
    'config.json.template',
    'service.template',
    'tmpfiles.template',
    'manifest.json',
    'hostfs',
  ],
];

/** @param names the names in `/exports` */
export function lintNames(names: readonly string[]): readonly Finding[] {
  const misnamed = names
    .filter((name) => !exportsNames.includes(name))
    .flatMap((name) => {
      const meant = findSuggestion(name, exportsNames);
      if (meant === undefined || names.includes(meant)) return [];
      const problem = `install does not read this file; did you mean ${meant}?`;
      return [buildExportsFinding('misnamed-file', { file: name, where: '', problem })];
    });
  if (!names.includes('config.json') || !names.includes('config.json.template')) return misnamed;
  const problem = 'install uses this file, and does not read config.json.template';
  return [
    ...misnamed,
    buildExportsFinding('two-configurations', { file: 'config.json', where: '', problem }),
  ];
}

/** @param isUsed whether a template has the variable */
export function lintManifest(
  manifest: JsonObject,
  isUsed: (variable: string) => boolean,
): readonly Finding[] {
  const file = 'manifest.json';
  const unknown = listUnknownKeys(manifest).map(({ place: where, meant }) => {
    const problem = `is no key of manifest.json${meant === undefined ? '' : `; did you mean ${meant}?`}`;
    return buildExportsFinding('unknown-manifest-key', { file, where, problem });
  });
  const defaults = manifest.defaultValues;
  const names = typeof defaults === 'object' && defaults !== null ? Object.keys(defaults) : [];
  const unused = names.flatMap((name) => {
    const problem = describeUnused(name, isUsed(name));
    if (problem === undefined) return [];
    return [buildExportsFinding('unused-default', { file, where: `defaultValues.${name}`, problem })];
  });
  return [...unknown, ...unused];
}

function describeUnused(name: string, isUsed: boolean): string | undefined {
  if (name === 'UUID') return undefined;
  if (forcedVariables.has(name) || systemVariables.has(name))
    return 'has no effect: install sets this variable';
  return isUsed ? undefined : 'is used by no template';
}
