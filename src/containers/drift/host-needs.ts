/** Finds files of the host that a container needs and has no copy of: its runtime, its secrets, the patches of its configuration. */
import { listExisting } from '../../host/files/existing-paths.ts';
import { findText } from '../../host/files/find-file.ts';
import type { Host } from '../../host/host.ts';
import type { DeploymentRecord } from '../container.ts';
import type { Drift } from './drift.ts';

/** A repair cannot bring them back. */
export async function findLostNeeds(
  host: Host,
  name: string,
  record: DeploymentRecord,
): Promise<readonly Drift[]> {
  const runtime = record.hasContainerService ? await findMissing('runtime', [record.runtime]) : [];
  const secrets = await findMissing('secret', Object.values(record.secrets));
  return [...runtime, ...secrets, ...(await comparePatches(host, name, record))];
}

async function findMissing(part: 'runtime' | 'secret', paths: readonly string[]): Promise<readonly Drift[]> {
  const existing = await listExisting(paths);
  return paths
    .filter((path) => !existing.includes(path))
    .map((path) => ({ part, path, state: 'missing', reason: 'it is not there', isTolerated: false }));
}

/** The configuration has the patches; the next update applies those that are there then. */
async function comparePatches(
  { locations }: Host,
  name: string,
  { patches }: DeploymentRecord,
): Promise<readonly Drift[]> {
  const drifts: Drift[] = [];
  for (const [file, sha256] of Object.entries(patches)) {
    const path = `${locations.patches}/${name}.d/${file}`;
    const text = await findText(path);
    if (text !== undefined && Bun.CryptoHasher.hash('sha256', text, 'hex') === sha256) continue;
    const state = text === undefined ? 'missing' : 'edited';
    drifts.push({
      part: 'patch',
      path,
      state,
      reason: 'the next update changes config.json',
      isTolerated: true,
    });
  }
  return drifts;
}
