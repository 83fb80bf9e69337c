/**
 * Chooses how to check that the service of a deployment is up: the options of the person, otherwise the values of the
 * image.
 */

import { AtomicError } from '../../base/errors.ts';
import type { Host } from '../../host/host.ts';
import { findHealthcheck, rejectImage } from '../../image/configuration-blob.ts';
import type { StoredImage } from '../../image/image.ts';
import { readCommit } from '../../ostree/object-files.ts';
import { describeImage } from '../../store/image-commit.ts';
import { hasConfig, openImageTree, readImageConfig } from '../../store/image-files.ts';
import type { DeploymentRecord } from '../container.ts';
import { requireCommit } from '../info-file.ts';
import type { ContainerName } from '../render/container-name.ts';
import { parseExportsManifest } from '../render/exports-manifest.ts';
import { type HealthCheck, parseImageHealthCheck } from '../render/health-check.ts';
import type { HealthRequest } from '../switch/await-health.ts';

/** The options of the person. */
export interface HealthChoice {
  /** Seconds; undefined for the value of the image. */
  readonly settle: number | undefined;
  readonly checksHealth: boolean;
}

/** Long enough to see a service that exits because of its configuration, and short enough to wait for. */
const DEFAULT_SETTLE_SECONDS = 5;
const MAX_MANIFEST_BYTES = 1024 * 1024;

/**
 * Reads the settling time and the health check of the image. It does not run the check.
 *
 * @throws EXPORTS_INVALID, MANIFEST_INVALID, STORE_CORRUPT
 */
export async function chooseHealth(
  host: Host,
  name: ContainerName,
  record: DeploymentRecord,
  choice: HealthChoice,
): Promise<HealthRequest> {
  const { repository } = host.locations;
  const commit = requireCommit(record.ostreeCommit, name);
  const image = describeImage(record.image, commit, readCommit(repository, commit));
  const manifest = openImageTree(host, image).readFile('exports/manifest.json', MAX_MANIFEST_BYTES);
  const { settle, healthCheck } =
    manifest === undefined
      ? { settle: undefined, healthCheck: undefined }
      : parseExportsManifest(manifest.toString('utf8'), record.image);
  return {
    name,
    runtime: record.runtime,
    settle: choice.settle ?? settle ?? DEFAULT_SETTLE_SECONDS,
    check: choice.checksHealth ? (healthCheck ?? (await readImageHealthCheck(host, image))) : undefined,
  };
}

/**
 * As `chooseHealth`, for a deployment whose image may be damaged or gone: the original's prune removes the image of a
 * deployment that is not active. The deployment itself has all that its service needs.
 */
export async function chooseHealthOfDeployment(
  host: Host,
  name: ContainerName,
  record: DeploymentRecord,
  choice: HealthChoice,
): Promise<HealthRequest> {
  try {
    return await chooseHealth(host, name, record, choice);
  } catch (error) {
    if (!(error instanceof AtomicError) || error.code === 'INTERRUPTED') throw error;
    const text = `The health check of the image of ${name} is unknown, and is not done: ${error.message}`;
    host.report({ kind: 'warning', text });
    const settle = choice.settle ?? DEFAULT_SETTLE_SECONDS;
    return { name, runtime: record.runtime, settle, check: undefined };
  }
}

/** Old repositories may not have the configurations of their images (compatibility R-02). */
async function readImageHealthCheck(host: Host, image: StoredImage): Promise<HealthCheck | undefined> {
  const { configDigest: digest, reference } = image;
  if (digest === undefined || !hasConfig(host.locations.repository, { digest })) return undefined;
  const reject = rejectImage(reference, 'The image is broken; build it again, or use --no-health-check.');
  return parseImageHealthCheck(findHealthcheck(await readImageConfig(host, image), reject), reject);
}
