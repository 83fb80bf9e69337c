import { AtomicError } from '../../base/errors.ts';
import { expectBoolean, expectObject, expectStringMap, expectStrings } from '../../base/json-shape.ts';
import { isJsonObject, type JsonObject, parseJsonObject, type Reject } from '../../base/json-text.ts';
import { toPrintable } from '../../base/printable.ts';
import { findSuggestion } from '../../base/suggest.ts';
import { type HealthCheck, healthCheckKeys, parseManifestHealthCheck, parseSettle } from './health-check.ts';
import { type DeclaredVariables, parseVariables, variableKeys } from './values/declared-variables.ts';

/** `/exports/manifest.json` of an image (compatibility E-06). The key `version` is never read. */
export interface ExportsManifest {
  /** The defaults of template variables, also those of `variables`. */
  readonly defaultValues: Readonly<Record<string, string>>;
  readonly variables: DeclaredVariables;
  /** Absolute host path -> template of the path that is used instead. */
  readonly renameFiles: Readonly<Record<string, string>>;
  /** Host files, by their renamed path, that are templates. */
  readonly installedFilesTemplate: readonly string[];
  /** Whether host files may be hard links into the image. */
  readonly useLinks: boolean;
  /** Whether the image has only host files: no unit, no service. */
  readonly noContainerService: boolean;
  /** How long the service must run without a restart to count as up, in seconds. */
  readonly settle: number | undefined;
  readonly healthCheck: HealthCheck | undefined;
  /** The form of the data in the state folder: an update that changes it keeps a copy of that folder. */
  readonly stateVersion: string | undefined;
  /** About keys that are probably misspelt. */
  readonly warnings: readonly string[];
}

/** The manifest of an image without `manifest.json`. */
export const emptyExportsManifest: ExportsManifest = {
  defaultValues: {},
  variables: new Map(),
  renameFiles: {},
  installedFilesTemplate: [],
  useLinks: true,
  noContainerService: false,
  settle: undefined,
  healthCheck: undefined,
  stateVersion: undefined,
  warnings: [],
};

/** The keys that have a meaning, and `version`. */
const manifestKeys: readonly string[] = [
  ...['version', 'defaultValues', 'renameFiles', 'installedFilesTemplate', 'useLinks', 'noContainerService'],
  ...['settle', 'healthCheck', 'stateVersion', 'variables'],
];

/** The limit is far above real manifests. It prevents that a hostile manifest fills the `info` file. */
const maxLength = 1024 * 1024;

/**
 * Parses `manifest.json`. Unknown keys are ignored, with a warning when they resemble a known one. A number as a default
 * counts as its text.
 *
 * @param text content of the file
 * @param image image name for the message
 * @throws EXPORTS_INVALID when it is not JSON or a key has the wrong type (compatibility E-06)
 */
export function parseExportsManifest(text: string, image: string): ExportsManifest {
  const reject: Reject = (problem) =>
    new AtomicError(
      'EXPORTS_INVALID',
      `Invalid manifest.json file in image: ${toPrintable(image)}. ${toPrintable(problem)}`,
      { hint: 'Correct /exports/manifest.json and build the image again.' },
    );
  const manifest = parseJsonObject(text, maxLength, reject);
  const defaults = parseDefaultValues(manifest.defaultValues, reject);
  return {
    ...parseVariables(manifest.variables, defaults, reject),
    renameFiles: expectStringMap(manifest.renameFiles, 'renameFiles', reject),
    installedFilesTemplate: expectStrings(manifest.installedFilesTemplate, 'installedFilesTemplate', reject),
    useLinks: expectBoolean(manifest.useLinks, 'useLinks', true, reject),
    noContainerService: expectBoolean(manifest.noContainerService, 'noContainerService', false, reject),
    settle: parseSettle(manifest.settle, reject),
    healthCheck: parseManifestHealthCheck(manifest.healthCheck, reject),
    stateVersion: parseStateVersion(manifest.stateVersion, reject),
    warnings: listMisspelt(manifest),
  };
}

function parseDefaultValues(value: unknown, reject: Reject): Readonly<Record<string, string>> {
  const entries = Object.entries(expectObject(value, 'defaultValues', reject)).map(([name, item]) => {
    if (typeof item === 'number') return [name, String(item)] as const;
    if (typeof item === 'string') return [name, item] as const;
    throw reject(`defaultValues.${name} must be a string`);
  });
  return Object.fromEntries(entries);
}

/** A number counts as its text. */
function parseStateVersion(value: unknown, reject: Reject): string | undefined {
  if (value === undefined || value === null) return undefined;
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text === 'string' && /^[\w.+-]{1,64}$/.test(text)) return text;
  throw reject('stateVersion must be a number or up to 64 letters, digits and the characters _.+-');
}

/** A key of a manifest that has no effect. */
interface UnknownKey {
  /** `healthCheck.retry` */
  readonly place: string;
  /** The known key that it resembles. */
  readonly meant: string | undefined;
  /** At the top, other programs may have keys of their own. Below, all keys are of this program. */
  readonly isAtTop: boolean;
}

export function listUnknownKeys(manifest: JsonObject): readonly UnknownKey[] {
  const top = compareKeys(manifest, manifestKeys, '');
  const variables = isJsonObject(manifest.variables) ? Object.entries(manifest.variables) : [];
  const below = [
    ...compareKeys(manifest.healthCheck, healthCheckKeys, 'healthCheck.'),
    ...variables.flatMap(([name, value]) => compareKeys(value, variableKeys, `variables.${name}.`)),
  ];
  return [
    ...top.map((key) => ({ ...key, isAtTop: true })),
    ...below.map((key) => ({ ...key, isAtTop: false })),
  ];
}

/** More warnings would not help. */
const MAX_WARNINGS = 20;

function listMisspelt(manifest: JsonObject): readonly string[] {
  const misspelt = listUnknownKeys(manifest).filter(({ meant, isAtTop }) => meant !== undefined || !isAtTop);
  return misspelt.slice(0, MAX_WARNINGS).map(({ place, meant }) => {
    const proposal = meant === undefined ? '' : `; did you mean ${meant}?`;
    return `manifest.json of the image: ${toPrintable(place)} is unknown and has no effect${proposal}`;
  });
}

/** A key in other letters, such as `defaultvalues`, is the same to a person. */
function compareKeys(object: unknown, known: readonly string[], where: string) {
  if (!isJsonObject(object)) return [];
  const byLower = new Map(known.map((key) => [key.toLowerCase(), key]));
  return Object.keys(object)
    .filter((key) => !known.includes(key))
    .map((key) => {
      const lower = findSuggestion(key.toLowerCase().replaceAll(/[-_]/g, ''), [...byLower.keys()]);
      return { place: `${where}${key}`, meant: lower === undefined ? undefined : byLower.get(lower) };
    });
}
