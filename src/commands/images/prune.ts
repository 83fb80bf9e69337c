import { formatJson } from '../../cli/output/format-json.ts';
import { defineCommand } from '../options/command.ts';
import { checkStorage, storageOption } from '../options/common-options.ts';
import { formatPruned } from './prune-view.ts';

export const imagesPrune = defineCommand({
  description: [
    'Removes unused data: layers and configurations that no image uses, files that only deleted images used, and remains of killed commands. It waits until running pulls and installs have ended.',
    'The objects of installed containers stay, also when their images were deleted. Refs of other programs stay with their objects. When an image or a container cannot be read, the command frees nothing.',
  ],
  operands: {},
  options: {
    json: {
      kind: 'flag',
      description: 'Print the result as a JSON document; progress goes to standard error.',
    },
    ...storageOption,
  },
  examples: [{ comment: 'After images were deleted', commands: ['atomic images prune'] }],
  files: [
    { name: '/var/lib/containers/atomic', text: 'Incomplete deployments of killed commands are removed.' },
  ],
  exitStatuses: [],
  async run(host, { options }) {
    checkStorage(options.storage);
    const { pruneStore } = await import('../../containers/cleanup/prune-store.ts');
    const pruned = await pruneStore(host);
    if (!options.json) return { text: formatPruned(pruned) };
    const { refs, objects, bytes, leftovers } = pruned;
    return {
      text: formatJson({ schemaVersion: 1, deleted_refs: refs, freed: { objects, bytes }, leftovers }),
    };
  },
});
