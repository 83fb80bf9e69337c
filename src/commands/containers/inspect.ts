import { formatJson } from '../../cli/output/format-json.ts';
import type { ContainerDescription } from '../../containers/inspect/container-description.ts';
import { defineCommand } from '../options/command.ts';

export const containersInspect = defineCommand({
  description: [
    'Shows a container: the state of its service, its two deployments (the current one, and the one for a rollback) with their images, values and privileges on the host, the differences between them, and images with which the service did not come up. For a damaged container, it shows the facts that can be read.',
    'The text leaves out values that the system gives, and cuts long lines; --json has them in full.',
  ],
  operands: {
    names: {
      label: 'NAME',
      count: 'some',
      description: "The containers, as 'atomic containers list -a' shows them.",
    },
  },
  options: {
    json: { kind: 'flag', description: 'Print the result as a JSON document.' },
  },
  examples: [
    { comment: 'Show the container etcd', commands: ['atomic containers inspect etcd'] },
    {
      comment: 'Print the current deployment as JSON',
      commands: ['atomic containers inspect --json etcd | jq .containers[].deployments[0]'],
    },
  ],
  files: [],
  exitStatuses: [],
  async run(host, { options, operands }) {
    const { describeContainer } = await import('../../containers/inspect/describe-container.ts');
    const described: ContainerDescription[] = [];
    for (const name of operands.names) described.push(await describeContainer(host, name));
    if (options.json) {
      const { buildInspectJson } = await import('./inspect-json.ts');
      return { text: formatJson(buildInspectJson(described)) };
    }
    const { formatContainer } = await import('./inspect-text.ts');
    return { text: described.map(formatContainer).join('\n') };
  },
});
