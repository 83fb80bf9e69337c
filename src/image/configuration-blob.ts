/**
 * The configuration blob of an image (OCI image specification, "Image Configuration"; Docker's has the same shape). It
 * is parsed only here. Absent and `null` keys count as empty; unknown keys are ignored.
 */
import { AtomicError } from '../base/errors.ts';
import {
  expectArray,
  expectBoolean,
  expectObject,
  expectString,
  expectStringMap,
  expectStrings,
} from '../base/json-shape.ts';
import {
  isJsonObject,
  type JsonObject,
  parseJsonObject,
  type Reject,
  tryParseJson,
} from '../base/json-text.ts';
import { toPrintable } from '../base/printable.ts';
import { type Digest, isDigest } from './digest.ts';
import type { NamedPlatform } from './platform.ts';

/** How an image is started: the member `config` of the blob. */
export interface ImageConfig {
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  /** The variables as written: normally `NAME=VALUE`, but nothing guarantees it. */
  readonly env: readonly string[];
  /** Empty when not set. */
  readonly workingDirectory: string;
  /** `USER[:GROUP]`, names or numbers; empty when not set. */
  readonly user: string;
  readonly labels: Readonly<Record<string, string>>;
  /** `SIGTERM`, `TERM` or `15`; `undefined` when not set. */
  readonly stopSignal: string | undefined;
  /** Paths of folders whose content lasts, as written. */
  readonly volumes: readonly string[];
}

/** The configuration of an image that sets nothing. */
export const emptyImageConfig: ImageConfig = {
  entrypoint: [],
  cmd: [],
  env: [],
  workingDirectory: '',
  user: '',
  labels: {},
  stopSignal: undefined,
  volumes: [],
};

/** The other members of the blob: what the image is, and how it was built. */
export interface ImageDetails {
  /** When the image was built; `undefined` when the blob has no valid time. */
  readonly created: Date | undefined;
  /** The platform in the words of OCI; a part is empty when the image does not name it. */
  readonly platform: { readonly os: string; readonly architecture: string; readonly variant: string };
  /** Digests of the inflated layers, base first. */
  readonly diffIds: readonly (Digest | undefined)[];
  /** The steps of the build, oldest first. */
  readonly history: readonly HistoryEntry[];
}

/** One step of the build. */
export interface HistoryEntry {
  readonly created: Date | undefined;
  readonly createdBy: string;
  readonly comment: string;
  readonly author: string;
  /** Whether the step made no layer. */
  readonly isEmpty: boolean;
}

/** The parsed parts of a blob. */
export interface ImageConfiguration {
  readonly config: ImageConfig;
  readonly details: ImageDetails;
}

/** The configuration of an image whose blob is not in the store. */
export const emptyConfiguration: ImageConfiguration = {
  config: emptyImageConfig,
  details: {
    created: undefined,
    platform: { os: '', architecture: '', variant: '' },
    diffIds: [],
    history: [],
  },
};

/** The limit of containers/image for configuration blobs, here in UTF-16 units. */
const MAX_LENGTH = 4 * 1024 * 1024;

/**
 * Parses a blob.
 *
 * @param text the blob
 * @param image image name for the message
 * @throws AtomicError MANIFEST_INVALID when it is not JSON or a key has the wrong type
 */
export function parseConfiguration(text: string, image: string): ImageConfiguration {
  const reject = rejectImage(image);
  return readConfiguration(parseJsonObject(text, MAX_LENGTH, reject), reject);
}

/**
 * Parses only the member `config` of a blob: an installation depends on nothing else of it.
 *
 * @throws AtomicError as `parseConfiguration`
 */
export function parseImageConfig(text: string, image: string): ImageConfig {
  const reject = rejectImage(image);
  return readConfig(parseJsonObject(text, MAX_LENGTH, reject), reject);
}

/**
 * Checks a blob before it is stored, so that the store holds only images that can be shown and installed.
 *
 * @param text the blob
 * @param image image name for the message
 * @param layers how many layers the manifest has
 * @returns the digests of the inflated layers (`rootfs.diff_ids`), one for each layer, base first
 * @throws AtomicError MANIFEST_INVALID when it is not JSON, has a key of the wrong type, or does not fit the manifest
 */
export function checkConfiguration(text: string, image: string, layers: number): readonly Digest[] {
  const blob = parseJsonObject(text, MAX_LENGTH, rejectArtifact);
  const diffIds = readDiffIds(blob, layers);
  readConfiguration(blob, rejectImage(image));
  return diffIds;
}

/**
 * Whether the label of an image asks for one run at its installation instead of a service (compatibility N-15). Other
 * faults of the blob are ignored.
 *
 * @param text the blob
 * @throws AtomicError MANIFEST_INVALID when it is not JSON
 */
export function runsOnce(text: string, image: string): boolean {
  const { config } = parseJsonObject(text, MAX_LENGTH, rejectImage(image));
  const labels = isJsonObject(config) ? config.Labels : undefined;
  return isJsonObject(labels) && labels['atomic.run'] === 'once';
}

/**
 * Finds the member `config.Healthcheck` of a blob, as it is written; `undefined` without one. Other faults of the blob
 * are ignored.
 */
export function findHealthcheck(text: string, reject: Reject): unknown {
  return expectObject(parseJsonObject(text, MAX_LENGTH, reject).config, 'config', reject).Healthcheck;
}

/**
 * Reads the platform of a blob that `checkConfiguration` may refuse later: a part that is not text counts as absent, and
 * so does the platform of a blob that is not JSON.
 */
export function readNamedPlatform(text: string): NamedPlatform {
  const blob = tryParseJson(text);
  if (!isJsonObject(blob)) return {};
  const { os, architecture, variant } = blob;
  return { ...pickText({ os }), ...pickText({ architecture }), ...pickText({ variant }) };
}

function pickText(part: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(part).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string' && entry[1] !== '',
    ),
  );
}

/** Finds the version of an image in its labels, as the original did: `Version-Release` (compatibility M-50). */
export function findVersion(labels: Readonly<Record<string, string>>): string | undefined {
  const parts = ['Version', 'Release'].flatMap((name) => labels[name] || labels[name.toLowerCase()] || []);
  return parts.length === 0 ? undefined : parts.join('-');
}

function readConfiguration(blob: JsonObject, reject: Reject): ImageConfiguration {
  return { config: readConfig(blob, reject), details: readDetails(blob, reject) };
}

function readConfig(blob: JsonObject, reject: Reject): ImageConfig {
  const config = expectObject(blob.config, 'config', reject);
  return {
    entrypoint: expectStrings(config.Entrypoint, 'config.Entrypoint', reject),
    cmd: expectStrings(config.Cmd, 'config.Cmd', reject),
    env: expectStrings(config.Env, 'config.Env', reject),
    workingDirectory: expectString(config.WorkingDir, 'config.WorkingDir', reject),
    user: expectString(config.User, 'config.User', reject),
    labels: expectStringMap(config.Labels, 'config.Labels', reject),
    stopSignal: expectString(config.StopSignal, 'config.StopSignal', reject) || undefined,
    volumes: Object.keys(expectObject(config.Volumes, 'config.Volumes', reject)),
  };
}

function readDetails(blob: JsonObject, reject: Reject): ImageDetails {
  const rootfs = expectObject(blob.rootfs, 'rootfs', reject);
  return {
    created: parseTime(blob.created),
    platform: {
      os: expectString(blob.os, 'os', reject),
      architecture: expectString(blob.architecture, 'architecture', reject),
      variant: expectString(blob.variant, 'variant', reject),
    },
    diffIds: expectStrings(rootfs.diff_ids, 'rootfs.diff_ids', reject).map((text) =>
      isDigest(text) ? text : undefined,
    ),
    history: expectArray(blob.history, 'history', reject).map((entry, index) =>
      readStep(expectObject(entry, `history[${index}]`, reject), `history[${index}]`, reject),
    ),
  };
}

function readStep(entry: JsonObject, where: string, reject: Reject): HistoryEntry {
  return {
    created: parseTime(entry.created),
    createdBy: expectString(entry.created_by, `${where}.created_by`, reject),
    comment: expectString(entry.comment, `${where}.comment`, reject),
    author: expectString(entry.author, `${where}.author`, reject),
    isEmpty: expectBoolean(entry.empty_layer, `${where}.empty_layer`, false, reject),
  };
}

/** An invalid time counts as none: nothing depends on it. */
function parseTime(value: unknown): Date | undefined {
  if (typeof value !== 'string') return undefined;
  const time = new Date(value);
  return Number.isNaN(time.getTime()) ? undefined : time;
}

function readDiffIds({ rootfs }: JsonObject, layers: number): readonly Digest[] {
  const diffIds = isJsonObject(rootfs) ? rootfs.diff_ids : undefined;
  if (!Array.isArray(diffIds)) throw rejectArtifact('"rootfs.diff_ids" is not a list');
  if (diffIds.length !== layers) {
    throw rejectArtifact(`it names ${diffIds.length} layers, the manifest ${layers}`);
  }
  return diffIds.map((digest: unknown) => {
    if (!isDigest(digest)) throw rejectArtifact('"rootfs.diff_ids" holds no digest of sha256 or sha512');
    return digest;
  });
}

/** Builds the errors for the faults of the blob of an image. */
export function rejectImage(image: string, hint = 'The image is broken; build or pull it again.'): Reject {
  return (problem) =>
    new AtomicError(
      'MANIFEST_INVALID',
      `Invalid configuration blob in image: ${toPrintable(image)}. ${toPrintable(problem)}`,
      { hint },
    );
}

/** Registries hold other things than images. Their configuration does not list layers. */
function rejectArtifact(problem: string): AtomicError {
  return new AtomicError('MANIFEST_INVALID', `reading the image's configuration: ${problem}`, {
    hint: 'Only images that can be run are supported, not other artifacts. Ask the author of the image.',
  });
}
