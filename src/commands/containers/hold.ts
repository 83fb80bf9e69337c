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
    "Keeps a container at its current image and values. 'atomic containers update --all' skips the container and prints its name; 'atomic containers update NAME' fails. A rollback is still possible.",
    "The hold ends with 'atomic containers unhold NAME', or when the container is uninstalled.",
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
  description: ["Ends the hold that 'atomic containers hold' began: the container can be updated again."],
  operands: { name },
  options: { json },
  examples: [{ comment: 'Update etcd again from now on', commands: ['atomic containers unhold etcd'] }],
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
