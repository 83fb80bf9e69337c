import { AtomicError } from '../../base/errors.ts';
import type { Host } from '../../host/host.ts';
import { readCommit } from '../../ostree/object-files.ts';
import { describeImage } from '../../store/image-commit.ts';
import { openImageTree } from '../../store/image-files.ts';
import type { DeploymentRecord } from '../container.ts';
import { requireCommit } from '../info-file.ts';
import { parseExportsManifest } from '../render/exports-manifest.ts';
import { inferOrigins, type ValueOrigins } from '../render/values/value-origins.ts';

const MAX_MANIFEST_BYTES = 1024 * 1024;

/**
 * Reads the origins of the values of a deployment from `info`, or infers them from the defaults of its image. A default
 * that cannot be read counts as missing, so that the update keeps the value.
 */
export function readOrigins(host: Host, name: string, record: DeploymentRecord): ValueOrigins {
  return record.valueOrigins ?? inferOrigins(record.values, readDefaults(host, name, record));
}

function readDefaults(
  host: Host,
  name: string,
  { ostreeCommit, image }: DeploymentRecord,
): Readonly<Record<string, string>> {
  if (ostreeCommit === '') return {};
  try {
    const commit = requireCommit(ostreeCommit, name);
    const stored = describeImage(image, commit, readCommit(host.locations.repository, commit));
    const text = openImageTree(host, stored).readFile('exports/manifest.json', MAX_MANIFEST_BYTES);
    return text === undefined ? {} : parseExportsManifest(text.toString('utf8'), image).defaultValues;
  } catch (error) {
    if (!(error instanceof AtomicError)) throw error;
    host.report({ kind: 'warning', text: `The default values are unknown: ${error.message}` });
    return {};
  }
}
