import { defineCommand } from '../options/command.ts';
import { serviceNames } from '../options/container-names.ts';
import { formatChange } from './service-text.ts';

export const stop = defineCommand({
  description: [
    'Stops the services of containers with systemctl, and waits until they have stopped. They stay enabled: they start at the next boot. After a second, a line says which service is waited for, and when systemd kills it.',
  ],
  operands: { names: { ...serviceNames, values: ['running container'] } },
  options: {},
  examples: [{ comment: 'Stop etcd', commands: ['atomic stop etcd'] }],
  files: [],
  exitStatuses: [],
  async run(host, { operands }) {
    const { stopServices } = await import('../../containers/control/stop-services.ts');
    const stopped = await stopServices(host, operands.names);
    return { text: formatChange(operands.names, stopped, 'has stopped', 'was not running') };
  },
});
