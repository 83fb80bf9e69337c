import { formatJson } from '../../cli/output/format-json.ts';
import { defineCommand } from '../options/command.ts';
import { checkStorage, storageOption } from '../options/common-options.ts';
import { buildDiffJson, formatDiff } from './diff-view.ts';
import { buildRootJson } from './root-json.ts';

const operand =
  'An image (name or beginning of its id), a container, or one of its deployments: NAME.0, NAME.1.';

export const diff = defineCommand({
  description: [
    "Lists the paths that differ between two root filesystems, sorted: 'A' for a path that is only in B, 'D' for a path that is only in A, 'C' for a changed path, with the changes: type, mode, owner, capabilities, other extended attributes, target, size, content. Then it lists the files that gain privileges: setuid, setgid, capabilities. Without differences the command prints nothing.",
    'For a container, this is the tree that it was installed from. If a container and an image have the same name, the name means the container; add the tag to name the image.',
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
