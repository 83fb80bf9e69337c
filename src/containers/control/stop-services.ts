import type { Host } from '../../host/host.ts';
import { UnitJobs } from '../../host/systemd/unit-jobs.ts';
import { listUnitsOf } from '../deployment.ts';
import { requireSystemAccess } from '../preconditions.ts';
import { withRecoveredContainers } from '../recovery/recover.ts';
import { stopUnits } from '../service/container-service.ts';
import { describeRun, readRuns } from '../service/service-run.ts';
import { parseNames, requireServices } from './require-services.ts';

/**
 * Stops the services of containers. They stay enabled: they start at the next boot.
 *
 * @returns the services that did not run before
 * @throws NOT_ROOT, NO_SYSTEMD; UNIT_FAILED when one of them still runs; as `requireServices`
 */
export async function stopServices(host: Host, written: readonly string[]): Promise<readonly string[]> {
  const names = parseNames(written);
  await requireSystemAccess(host, 'stop');
  return withRecoveredContainers(host, names, 'stop', async () => {
    await requireServices(host, 'stop', names);
    using jobs = new UnitJobs(host);
    const units = await stopUnits(host, jobs, names.flatMap(listUnitsOf));
    const running = names.filter((name) => units.includes(`${name}.service`));
    for (const [index, run] of (await readRuns(host, running)).entries()) {
      if (run.activeState !== 'failed') continue;
      host.report({
        kind: 'warning',
        text: `${running[index]}.service has stopped, but ${describeRun(run)}`,
      });
    }
    return names.filter((name) => !running.includes(name));
  });
}
