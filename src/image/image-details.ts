import { AtomicError } from '../base/errors.ts';
import { expectArray, expectBoolean, expectObject, expectString, expectStrings } from '../base/json-shape.ts';
import { type JsonObject, parseJsonObject, type Reject } from '../base/json-text.ts';
import { toPrintable } from '../base/printable.ts';

/** What the configuration blob says of the image itself, beside how it is started (`image-config.ts`). */
export interface ImageDetails {
  /** When the image was built; `undefined` when it does not say, or no time. */
  readonly created: Date | undefined;
  readonly platform: Platform;
  /** Digests of the inflated layers, base first. */
  readonly diffIds: readonly string[];
  /** Oldest first. */
  readonly history: readonly HistoryEntry[];
}

/** In the words of OCI; empty when not set. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant: string;
}

/** One step of the build. */
export interface HistoryEntry {
  readonly created: Date | undefined;
  readonly createdBy: string;
  readonly comment: string;
  readonly author: string;
  /** The step made no layer. */
  readonly isEmpty: boolean;
}

/** The details of an image that says nothing. */
export const emptyImageDetails: ImageDetails = {
  created: undefined,
  platform: { os: '', architecture: '', variant: '' },
  diffIds: [],
  history: [],
};

/** The limit that containers/image puts on configuration blobs. */
const MAX_LENGTH = 4 * 1024 * 1024;

/**
 * @param text the configuration blob
 * @param image image name for the message
 * @throws MANIFEST_INVALID when it is not JSON or a key has the wrong type
 */
export function parseImageDetails(text: string, image: string): ImageDetails {
  const reject: Reject = (problem) =>
    new AtomicError(
      'MANIFEST_INVALID',
      `Invalid configuration blob in image: ${toPrintable(image)}. ${toPrintable(problem)}`,
      { hint: 'The image is broken; build or pull it again.' },
    );
  const blob = parseJsonObject(text, MAX_LENGTH, reject);
  const rootfs = expectObject(blob.rootfs, 'rootfs', reject);
  return {
    created: parseTime(blob.created),
    platform: {
      os: expectString(blob.os, 'os', reject),
      architecture: expectString(blob.architecture, 'architecture', reject),
      variant: expectString(blob.variant, 'variant', reject),
    },
    diffIds: expectStrings(rootfs.diff_ids, 'rootfs.diff_ids', reject),
    history: expectArray(blob.history, 'history', reject).map((entry, index) =>
      parseEntry(expectObject(entry, `history[${index}]`, reject), `history[${index}]`, reject),
    ),
  };
}

function parseEntry(entry: JsonObject, where: string, reject: Reject): HistoryEntry {
  return {
    created: parseTime(entry.created),
    createdBy: expectString(entry.created_by, `${where}.created_by`, reject),
    comment: expectString(entry.comment, `${where}.comment`, reject),
    author: expectString(entry.author, `${where}.author`, reject),
    isEmpty: expectBoolean(entry.empty_layer, `${where}.empty_layer`, false, reject),
  };
}

/** A time that nobody can read is none: nothing depends on it. */
function parseTime(value: unknown): Date | undefined {
  if (typeof value !== 'string') return undefined;
  const time = new Date(value);
  return Number.isNaN(time.getTime()) ? undefined : time;
}
