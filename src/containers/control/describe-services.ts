import type { Host } from '../../host/host.ts';
import { requireSystemd } from '../../host/systemd/systemctl.ts';
import { readRuns, type ServiceRun } from '../service/service-run.ts';
import { parseNames, requireServices } from './require-services.ts';

export interface NamedRun {
  readonly name: string;
  readonly run: ServiceRun;
}

/** Describes the services of containers. @throws NO_SYSTEMD; as `requireServices` */
export async function describeServices(host: Host, written: readonly string[]): Promise<readonly NamedRun[]> {
  const names = await findServices(host, 'status', written);
  const runs = await readRuns(host, names);
  return names.flatMap((name, index) => {
    const run = runs[index];
    return run === undefined ? [] : [{ name, run }];
  });
}

/** @returns the names, each once; @throws NO_SYSTEMD; as `requireServices` */
export async function findServices(
  host: Host,
  verb: 'status' | 'logs',
  written: readonly string[],
): Promise<readonly string[]> {
  const names = parseNames(written);
  await requireSystemd();
  await requireServices(host, verb, names);
  return names;
}
