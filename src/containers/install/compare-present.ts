/** What an install asked for, and the container of that name does not have. */
import { resolve } from 'node:path/posix';
import { formatFullName } from '../../image/source-name.ts';
import type { DeploymentRecord, InstallRequest, PresentDifference } from '../container.ts';
import { findMissing, type ServiceOptions } from '../render/options/service-options.ts';

/**
 * @param imageName the asked image, as `DeploymentRecord.image` has it
 * @param reference its full name
 */
export function comparePresent(
  record: DeploymentRecord,
  request: InstallRequest,
  imageName: string,
  reference: string,
): readonly PresentDifference[] {
  const differences: PresentDifference[] = [];
  const isSameImage = record.image === imageName || formatFullName(record.image) === reference;
  if (!isSameImage) {
    differences.push({ kind: 'image', name: 'image', installed: record.image, asked: imageName });
  }
  for (const [name, asked] of Object.entries(request.values)) {
    const found = Object.hasOwn(record.values, name) ? record.values[name] : undefined;
    const installed = found === undefined ? null : String(found);
    if (installed !== asked) differences.push({ kind: 'value', name, installed, asked });
  }
  differences.push(...compareOptions(record.options, request.options));
  for (const [name, asked] of Object.entries(request.secrets)) {
    const installed = record.secrets[name] ?? null;
    if (installed !== asked) differences.push({ kind: 'secret', name, installed, asked });
  }
  const { runtime } = request;
  if (runtime !== undefined && !isSameProgram(record.runtime, runtime)) {
    differences.push({ kind: 'runtime', name: 'runtime', installed: record.runtime, asked: runtime });
  }
  return differences;
}

function compareOptions(installed: ServiceOptions, asked: ServiceOptions): readonly PresentDifference[] {
  return findMissing(installed, asked).map(({ name, before, after }) => ({
    ...{ kind: 'option', name, installed: before ?? null, asked: after },
  }));
}

/** @param asked a path, or a name without a folder */
function isSameProgram(installed: string, asked: string): boolean {
  return asked.includes('/') ? resolve(asked) === installed : installed.endsWith(`/${asked}`);
}
