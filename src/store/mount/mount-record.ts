import { AtomicError } from '../../base/errors.ts';
import { expectString } from '../../base/json-shape.ts';
import { parseJsonObject, type Reject } from '../../base/json-text.ts';

/** What `atomic mount` records about a mount for `atomic unmount`. */
export interface MountRecord {
  /** Kind of the mounted object. */
  readonly kind: 'image' | 'container';
  readonly name: string;
  /** Absolute path of the mounted deployment; empty for an image. */
  readonly deployment: string;
  /** Absolute path of the mount point, without symlinks. */
  readonly directory: string;
}

const MAX_LENGTH = 64 * 1024;

export function formatMountRecord(record: MountRecord): string {
  return `${JSON.stringify({ schemaVersion: 1, ...record }, undefined, 4)}\n`;
}

/** @throws AtomicError STORE_CORRUPT */
export function parseMountRecord(text: string): MountRecord {
  const reject: Reject = (problem) =>
    new AtomicError('STORE_CORRUPT', `reading a record of a mount: ${problem}`);
  const record = parseJsonObject(text, MAX_LENGTH, reject);
  return {
    kind: record.kind === 'container' ? 'container' : 'image',
    name: expectString(record.name, 'name', reject),
    deployment: expectString(record.deployment, 'deployment', reject),
    directory: expectString(record.directory, 'directory', reject),
  };
}
