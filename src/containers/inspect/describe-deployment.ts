import type { Host } from '../../host/host.ts';
import { isChecksum } from '../../image/checksum.ts';
import type { DeploymentRecord } from '../container.ts';
import { buildDeploymentFolder, buildDeploymentPaths, type DeploymentNumber } from '../deployment.ts';
import { namesImage } from '../info-file.ts';
import { isFolder, readDeployment } from '../read-container.ts';
import type { ContainerName } from '../render/container-name.ts';
import { chooseHealth } from '../update/choose-health.ts';
import { readAsks } from '../update/read-asks.ts';
import type { CurrentContainer } from '../update/read-current.ts';
import { readOrigins } from '../update/read-origins.ts';
import type {
  DeploymentDescription,
  HealthDescription,
  InstalledDescription,
} from './container-description.ts';
import { gatherProblems } from './gather-problems.ts';

/** @returns undefined when there is no such deployment */
export async function describeDeployment(
  host: Host,
  name: ContainerName,
  number: DeploymentNumber,
  isActive: boolean,
): Promise<DeploymentDescription | undefined> {
  const folder = buildDeploymentFolder(host.locations, name, number);
  const { info } = buildDeploymentPaths(folder, name);
  const problems: string[] = [];
  const record = await gatherProblems(host, problems, (looking) => readDeployment(looking, folder, name));
  if (record !== undefined) {
    if (!namesImage(record)) problems.push(`${info} does not say which image it is`);
    const current = { name, active: number, other: number === 0 ? 1 : 0, record } as const;
    const installed = await describeInstalled(host, current, problems);
    return { number, folder, isActive, installed, problems };
  }
  if (problems.length === 0) {
    if (!isActive && !(await isFolder(folder))) return undefined;
    problems.push(`There is no ${info}`);
  }
  return { number, folder, isActive, installed: undefined, problems };
}

async function describeInstalled(
  host: Host,
  current: CurrentContainer,
  problems: string[],
): Promise<InstalledDescription> {
  const { name, record } = current;
  const gather = <T>(read: (looking: Host) => Promise<T>) => gatherProblems(host, problems, read);
  const asks = await gather((looking) => readAsks(looking, current));
  if (asks?.kind === 'unknown' && !problems.includes(asks.reason)) problems.push(asks.reason);
  return {
    record,
    origins: (await gather(async (looking) => readOrigins(looking, name, record))) ?? {},
    hasRecordedOrigins: record.valueOrigins !== undefined,
    health: await gather((looking) => describeHealth(looking, name, record)),
    asks: asks?.kind === 'known' ? asks.privileges : undefined,
  };
}

/** The health check that an update or a rollback to this deployment would run. */
async function describeHealth(
  host: Host,
  name: ContainerName,
  record: DeploymentRecord,
): Promise<HealthDescription | undefined> {
  if (!record.hasContainerService || !isChecksum(record.ostreeCommit)) return undefined;
  const { settle, check } = await chooseHealth(host, name, record, {
    settle: undefined,
    checksHealth: true,
  });
  return { settle, check };
}
