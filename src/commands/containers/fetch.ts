import { formatJson } from '../../cli/output/format-json.ts';
import { allOption, containersOperand, requireNamesOrAll } from '../options/all-containers.ts';
import { defineCommand } from '../options/command.ts';
import { progressOption } from '../options/common-options.ts';
import { parseSourceOptions, sourceOptions } from '../options/source-options.ts';
import { buildFetchedJson, formatFetched } from './check-text.ts';

const TOPIC = 'containers fetch';

export const containersFetch = defineCommand({
  description: [
    "Fetches the newer images that 'atomic containers check' finds in registries. No container changes: 'atomic containers update' does that later, without a registry.",
    'Without a NAME containers that are held are left out. An image whose service did not come up before is not fetched. One that cannot be fetched does not stop the others.',
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
    { comment: 'By day; an update at night needs no registry', commands: ['atomic containers fetch --all'] },
  ],
  files: [],
  exitStatuses: [{ name: '1', text: 'An image could not be fetched, or a container is damaged.' }],
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
