import { formatJson } from '../../cli/output/format-json.ts';
import { defineCommand } from '../options/command.ts';
import { healthOptions, parseHealthOptions } from '../options/health-options.ts';
import { formatRollbackPlan } from './update-text.ts';

export const containersRollback = defineCommand({
  description: [
    'Goes back to the other deployment of a container, the one before the last update or rollback: its files, its unit, its tmpfiles.d file and its values. A running service is stopped and started; a stopped service stays stopped.',
    'When the service does not come up, the previous state is restored, and the command fails.',
  ],
  operands: {
    name: { label: 'NAME', description: "The container, as 'atomic containers list -a' shows it." },
  },
  options: {
    display: { kind: 'flag', description: 'Print what would be done; change nothing.' },
    ...healthOptions,
    json: {
      kind: 'flag',
      description: 'Print the result as a JSON document; progress goes to standard error.',
    },
  },
  examples: [{ comment: 'Undo the last update of etcd', commands: ['atomic containers rollback etcd'] }],
  files: [],
  exitStatuses: [],
  async run(host, { options, operands }) {
    const { rollbackContainer } = await import('../../containers/update/rollback.ts');
    const { plan, state, ...result } = await rollbackContainer(host, {
      name: operands.name,
      isPlan: options.display,
      ...parseHealthOptions(options),
    });
    if (options.json) return { text: formatJson({ schemaVersion: 1, ...result }) };
    return { text: plan === undefined ? '' : formatRollbackPlan(plan, state) };
  },
});
