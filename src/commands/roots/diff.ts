import { formatJson } from '../../cli/output/format-json.ts';
import { defineCommand } from '../options/command.ts';
import { checkStorage, storageOption } from '../options/common-options.ts';
import { buildDiffJson, formatDiff } from './diff-view.ts';
import { buildRootJson } from './root-json.ts';

const operand =
  'An image (name or beginning of its id), a container, or one of its deployments: NAME.0, NAME.1.';

export const diff = defineCommand({
  description: [
    "Lists the paths that differ between two root filesystems, sorted: 'A' for one that only B has, 'D' for one that only A has, 'C' for one that changed, with what changed: type, mode, owner, capabilities, other extended attributes, target, size, content. Then the files that gain privileges: setuid, setgid, capabilities. Nothing is printed when there are no differences.",
    'For a container this is the image that it was installed from. Where a container and an image have the same name, the container is meant; write the tag to mean the image.',
  ],
  operands: {
    a: { label: 'A', description: operand },
    b: { label: 'B', description: 'The same.' },
  },
  options: {
    json: { kind: 'flag', description: 'Print the result as a JSON document.' },
    ...storageOption,
  },
  examples: [
    {
      comment: 'What a new version changes',
      commands: ['atomic diff registry.example.com/etcd:3.4 registry.example.com/etcd:3.5'],
    },
    { comment: 'What the last update of a container changed', commands: ['atomic diff etcd.0 etcd.1'] },
    {
      comment: 'What an update would change now',
      commands: ['atomic diff etcd registry.example.com/etcd:latest'],
    },
  ],
  files: [],
  exitStatuses: [],
  async run(host, { options, operands }) {
    checkStorage(options.storage);
    const { diffRoots } = await import('../../containers/diff.ts');
    const { before, after, changes } = await diffRoots(host, operands.a, operands.b);
    if (!options.json) return { text: formatDiff(changes) };
    const roots = { before: buildRootJson(before), after: buildRootJson(after) };
    return { text: formatJson({ schemaVersion: 1, ...roots, ...buildDiffJson(changes) }) };
  },
});
