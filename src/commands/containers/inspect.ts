import { formatJson } from '../../cli/output/format-json.ts';
import type { ContainerDescription } from '../../containers/inspect/container-description.ts';
import { defineCommand } from '../options/command.ts';

export const containersInspect = defineCommand({
  description: [
    'Shows a container: the state of its service, its two deployments (the current one, and the one that a rollback goes back to) with their images, values and demands on the host, how they differ, and images whose service did not come up. A damaged container is described as far as its files can be read.',
    'The text leaves out the values that the system gives, and cuts long lines; --json has everything.',
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
    { comment: 'All about etcd', commands: ['atomic containers inspect etcd'] },
    {
      comment: 'All about the current deployment, for programs',
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
