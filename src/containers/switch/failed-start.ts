/** Finds the unit because of which a start failed: one of the containers, or one that stops and starts with them. */
import type { AtomicError } from '../../base/errors.ts';
import type { Host } from '../../host/host.ts';
import { isUp, readUnitRuns } from '../service/service-run.ts';
import { buildDown } from './await-health.ts';

/**
 * Builds the error for units of which not all started. It names the first one that is down: a unit that systemd has not
 * tried comes after the unit that it needs.
 *
 * @param units that were started, with their types, in the order of the start
 * @param containers whose services are among them
 * @returns UNIT_FAILED, without `culprit` when the unit is none of the containers'; the failure itself when all are up by now
 */
export async function describeFailedStart(
  host: Host,
  units: readonly string[],
  containers: readonly string[],
  failure: AtomicError,
): Promise<AtomicError> {
  const runs = await readUnitRuns(host, units);
  const index = runs.findIndex((run) => !isUp(run));
  const unit = units[index];
  if (unit === undefined) return failure;
  const isLate = runs[index]?.result === 'timeout';
  const reason = isLate ? `${failure.message}: not within its TimeoutStartSec=` : failure.message;
  const culprit = containers.find((name) => unit === `${name}.service`);
  return buildDown(host, unit, { phase: 'start', reason, culprit });
}
