import { toPrintable } from '../../base/printable.ts';
import { buildUsageError } from '../../cli/arguments/usage-error.ts';
import { formatJson } from '../../cli/output/format-json.ts';
import type { Host } from '../../host/host.ts';
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
    'With one container and nothing else, compares the deployment that a rollback goes back to with the current one, and also lists the values, the lines of the unit, of config.json and of the tmpfiles.d file, the host files and the demands on the host that differ.',
  ],
  operands: {
    a: { label: 'A', values: ['container', 'image'], description: operand },
    b: {
      label: 'B',
      values: ['container', 'image'],
      count: 'optional',
      description: 'The same. Without B, A is a container, and its two deployments are compared.',
    },
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
    { comment: 'What the last update of a container changed', commands: ['atomic diff etcd'] },
    {
      comment: 'What an update would change now',
      commands: ['atomic diff etcd registry.example.com/etcd:latest'],
    },
  ],
  files: [],
  exitStatuses: [],
  async run(host, { options, operands }) {
    checkStorage(options.storage);
    if (operands.b === undefined) return { text: await diffContainer(host, operands.a, options.json) };
    const { diffRoots } = await import('../../containers/diff.ts');
    const { before, after, changes } = await diffRoots(host, operands.a, operands.b);
    if (!options.json) return { text: formatDiff(changes) };
    const roots = { before: buildRootJson(before), after: buildRootJson(after) };
    return { text: formatJson({ schemaVersion: 1, ...roots, ...buildDiffJson(changes) }) };
  },
});

async function diffContainer(host: Host, name: string, json: boolean): Promise<string> {
  const [{ listContainerNames }, { diffDeployments }] = await Promise.all([
    import('../../containers/read-container.ts'),
    import('../../containers/inspect/diff-deployments.ts'),
  ]);
  if (!(await listContainerNames(host)).includes(name)) {
    throw buildUsageError(
      'BAD_OPTION',
      `Too few arguments: B is missing, and '${toPrintable(name, 80)}' is not a container`,
      'diff',
      'Name two images or deployments; for a container alone its two deployments are compared.',
    );
  }
  const { before, after, files, changes } = await diffDeployments(host, name);
  const { formatDeploymentDiff, buildDeploymentDiffJson } = await import('./deployment-diff-view.ts');
  if (!json) return formatDeploymentDiff(name, files, changes);
  const roots = { before: buildRootJson(before), after: buildRootJson(after) };
  return formatJson({ schemaVersion: 1, ...roots, ...buildDeploymentDiffJson(files, changes) });
}
