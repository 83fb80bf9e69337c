import { AtomicError } from '../base/errors.ts';
import { expectObject, expectString, expectStringMap, expectStrings } from '../base/json-shape.ts';
import { isJsonObject, parseJsonObject, type Reject } from '../base/json-text.ts';
import { toPrintable } from '../base/printable.ts';

/** What an image says about how it is started, from the configuration blob (OCI image-spec, Docker v2s2). */
export interface ImageConfig {
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  /** As written; normally `NAME=VALUE`, but nothing guarantees it. */
  readonly env: readonly string[];
  /** Empty when not set. */
  readonly workingDirectory: string;
  /** `USER[:GROUP]`, names or numbers; empty when not set. */
  readonly user: string;
  readonly labels: Readonly<Record<string, string>>;
  /** `SIGTERM`, `TERM` or `15`; `undefined` when not set. */
  readonly stopSignal: string | undefined;
}

/** The configuration of an image that says nothing. */
export const emptyImageConfig: ImageConfig = {
  entrypoint: [],
  cmd: [],
  env: [],
  workingDirectory: '',
  user: '',
  labels: {},
  stopSignal: undefined,
};

/** The limit that containers/image puts on configuration blobs. */
const maxLength = 4 * 1024 * 1024;

/**
 * Parses a configuration blob. Absent and `null` keys count as empty; unknown keys are ignored.
 *
 * @param text the blob
 * @param image image name for the message
 * @throws MANIFEST_INVALID when it is not JSON or a key has the wrong type
 */
export function parseImageConfig(text: string, image: string): ImageConfig {
  const reject = rejectImage(image);
  const blob = parseJsonObject(text, maxLength, reject);
  const config = expectObject(blob.config, 'config', reject);
  return {
    entrypoint: expectStrings(config.Entrypoint, 'config.Entrypoint', reject),
    cmd: expectStrings(config.Cmd, 'config.Cmd', reject),
    env: expectStrings(config.Env, 'config.Env', reject),
    workingDirectory: expectString(config.WorkingDir, 'config.WorkingDir', reject),
    user: expectString(config.User, 'config.User', reject),
    labels: expectStringMap(config.Labels, 'config.Labels', reject),
    stopSignal: expectString(config.StopSignal, 'config.StopSignal', reject) || undefined,
  };
}

/**
 * Whether an image asks for one run at its installation, and not for a service (compatibility N-15). Looks at nothing
 * but the label: an image whose configuration is not needed otherwise may have mistakes in it.
 *
 * @param text the blob
 * @throws MANIFEST_INVALID when it is not JSON
 */
export function runsOnce(text: string, image: string): boolean {
  const { config } = parseJsonObject(text, maxLength, rejectImage(image));
  const labels = isJsonObject(config) ? config.Labels : undefined;
  return isJsonObject(labels) && labels['atomic.run'] === 'once';
}

function rejectImage(image: string): Reject {
  return (problem) =>
    new AtomicError(
      'MANIFEST_INVALID',
      `Invalid configuration blob in image: ${toPrintable(image)}. ${toPrintable(problem)}`,
      { hint: 'The image is broken; build or pull it again.' },
    );
}
