import { formatJson } from '../../cli/output/format-json.ts';
import { defineCommand } from '../options/command.ts';

const name = {
  label: 'NAME',
  description: "The container, as 'atomic containers list -a' shows it.",
} as const;
const json = { kind: 'flag', description: 'Print the result as a JSON document.' } as const;
const files = [
  { name: '/var/lib/containers/atomic/.atomic/held', text: 'A file for each container that is held.' },
];

export const containersHold = defineCommand({
  description: [
    "Keeps a container at the image and the values that it has. 'atomic containers update --all' leaves it out and says so; 'atomic containers update NAME' refuses. A rollback is still possible.",
    "It ends with 'atomic containers unhold NAME', or when the container is uninstalled.",
  ],
  operands: { name },
  options: { json },
  examples: [{ comment: 'Stay at this version of etcd', commands: ['atomic containers hold etcd'] }],
  files,
  exitStatuses: [],
  async run(host, { options, operands }) {
    const { holdContainer } = await import('../../containers/hold.ts');
    const wasHeld = await holdContainer(host, operands.name);
    return { text: options.json ? buildJson(operands.name, true, !wasHeld) : '' };
  },
});

export const containersUnhold = defineCommand({
  description: ["Lets a container be updated again that 'atomic containers hold' has kept."],
  operands: { name },
  options: { json },
  examples: [{ comment: 'Let etcd be updated again', commands: ['atomic containers unhold etcd'] }],
  files,
  exitStatuses: [],
  async run(host, { options, operands }) {
    const { unholdContainer } = await import('../../containers/hold.ts');
    const wasHeld = await unholdContainer(host, operands.name);
    return { text: options.json ? buildJson(operands.name, false, wasHeld) : '' };
  },
});

function buildJson(container: string, held: boolean, changed: boolean): string {
  return formatJson({ schemaVersion: 1, name: container, held, changed });
}
