import { defineCommand } from '../options/command.ts';
import { serviceNames } from '../options/container-names.ts';
import { parseSettleOption, settleOption } from '../options/health-options.ts';
import { formatChange } from './service-text.ts';

export const start = defineCommand({
  description: [
    'Starts the services of containers with systemctl, and waits until they have run for two seconds. A service that ends meanwhile is an error, and the end of its log is printed on standard error. A service that runs already is left as it is.',
  ],
  operands: { names: { ...serviceNames, values: ['stopped container'] } },
  options: { settle: settleOption },
  examples: [
    { comment: 'Start etcd', commands: ['atomic start etcd'] },
    {
      comment: 'Two services, one of which needs longer to fail',
      commands: ['atomic start --settle 10 etcd flannel'],
    },
  ],
  files: [],
  exitStatuses: [{ name: '1', text: 'Also when a service did not stay up.' }],
  async run(host, { options, operands }) {
    const settle = parseSettleOption(options.settle);
    const { startServices } = await import('../../containers/control/start-services.ts');
    const running = await startServices(host, 'start', operands.names, settle);
    return { text: formatChange(operands.names, running, 'is running', 'is already running') };
  },
});

export const restart = defineCommand({
  description: [
    "Stops the services of containers and starts them again with systemctl, and waits as 'atomic start' does. A service that does not run is started.",
  ],
  operands: { names: serviceNames },
  options: { settle: settleOption },
  examples: [{ comment: 'Restart etcd', commands: ['atomic restart etcd'] }],
  files: [],
  exitStatuses: [{ name: '1', text: 'Also when a service did not stay up.' }],
  async run(host, { options, operands }) {
    const settle = parseSettleOption(options.settle);
    const { startServices } = await import('../../containers/control/start-services.ts');
    await startServices(host, 'restart', operands.names, settle);
    return { text: formatChange(operands.names, [], 'is running', '') };
  },
});
