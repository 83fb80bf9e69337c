import { formatJson } from '../../cli/output/format-json.ts';
import { defineCommand } from '../options/command.ts';
import { progressOption } from '../options/common-options.ts';
import { allOption, containersOperand, requireNamesOrAll } from '../options/container-names.ts';
import { parseSourceOptions, sourceOptions } from '../options/source-options.ts';
import { buildFetchedJson, formatFetched } from './check-text.ts';

const TOPIC = 'containers fetch';

export const containersFetch = defineCommand({
  description: [
    "Fetches the newer images that 'atomic containers check' finds in registries. Containers do not change. A later 'atomic containers update' needs no registry.",
    'Without a NAME, the command skips containers that are held. It does not fetch an image with which the service did not come up in an earlier update. When an image cannot be fetched, the command continues with the others.',
  ],
  operands: { names: containersOperand },
  options: {
    ...allOption,
    ...sourceOptions,
    json: {
      kind: 'flag',
      description: 'Print the result as a JSON document; progress goes to standard error.',
    },
    ...progressOption,
  },
  examples: [
    { comment: 'Fetch by day, for an update at night', commands: ['atomic containers fetch --all'] },
  ],
  files: [],
  exitStatuses: [{ name: '1', text: 'Also when an image could not be fetched, or a container is damaged.' }],
  async run(host, { options, operands: { names } }) {
    requireNamesOrAll(options.all, names, TOPIC);
    const { fetchImages } = await import('../../containers/update/fetch-images.ts');
    const fetched = await fetchImages(host, names, parseSourceOptions(options));
    return {
      text: options.json ? formatJson(buildFetchedJson(fetched)) : fetched.map(formatFetched).join(''),
      exitStatus: fetched.some(({ outcome }) => outcome === 'failed') ? 1 : 0,
    };
  },
});
