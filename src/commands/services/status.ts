import { formatJson } from '../../cli/output/format-json.ts';
import type { NamedRun } from '../../containers/control/describe-services.ts';
import { defineCommand } from '../options/command.ts';
import { serviceNames } from '../options/container-names.ts';

/** The status of `systemctl status` for a service that does not run. */
const NOT_RUNNING = 3;

export const status = defineCommand({
  description: [
    "Shows the services of containers as 'systemctl status' does: the state, the processes and the last lines of the log.",
  ],
  operands: { names: serviceNames },
  options: { json: { kind: 'flag', description: 'Print a JSON document.' } },
  examples: [{ comment: 'Whether etcd runs', commands: ['atomic status etcd'] }],
  files: [],
  exitStatuses: [{ name: '3', text: 'A service does not run.' }],
  async run(host, { options, operands }) {
    const { describeServices, findServices } = await import('../../containers/control/describe-services.ts');
    if (options.json) {
      const services = await describeServices(host, operands.names);
      const allRun = services.every(({ run }) => isRunning(run.activeState));
      return { text: formatJson(buildJson(services)), exitStatus: allRun ? 0 : NOT_RUNNING };
    }
    const names = await findServices(host, 'status', operands.names);
    const { runAttached } = await import('../../host/run-attached.ts');
    const units = names.map((name) => `${name}.service`);
    const argv = ['systemctl', 'status', '--no-pager', '--full', '--', ...units];
    return { text: '', exitStatus: await runAttached(host, argv) };
  },
});

function isRunning(activeState: string): boolean {
  return activeState === 'active' || activeState === 'reloading';
}

function buildJson(services: readonly NamedRun[]): Record<string, unknown> {
  return {
    schemaVersion: 1,
    services: services.map(({ name, run }) => ({
      name,
      unit: `${name}.service`,
      active_state: run.activeState,
      sub_state: run.subState,
      result: run.result,
      enabled: run.unitFileState === 'enabled',
      main_pid: Number(run.mainPid) || null,
      exit_status: Number(run.exitStatus) || 0,
      restarts: Number(run.restarts) || 0,
    })),
  };
}
