import { formatJson } from '../../cli/output/format-json.ts';
import { defineCommand } from '../options/command.ts';

export const recover = defineCommand({
  description: [
    'Undoes or finishes interrupted operations. An operation that was interrupted before its point of no return is undone; after that point it is finished. Every command that changes a container first does this for that container; this command does it for all containers.',
  ],
  operands: {},
  options: {
    json: { kind: 'flag', description: 'Print the result as a JSON document.' },
  },
  examples: [{ comment: 'After a crash or a power failure', commands: ['atomic recover'] }],
  files: [
    { name: '/var/lib/containers/atomic/.atomic', text: 'Journals of operations that have not ended.' },
  ],
  exitStatuses: [],
  async run(host, { options }) {
    const { recoverOperations } = await import('../../containers/recovery/recover.ts');
    const recovered = await recoverOperations(host);
    if (options.json) return { text: formatJson({ schemaVersion: 1, recovered }) };
    return { text: recovered.length === 0 ? 'Nothing to recover.\n' : '' };
  },
});
