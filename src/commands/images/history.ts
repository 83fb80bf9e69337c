import { plainDisplay } from '../../cli/output/display.ts';
import { defineCommand } from '../options/command.ts';
import { checkStorage, storageOption } from '../options/common-options.ts';
import { formatImageHistory } from './history-view.ts';

export const imagesHistory = defineCommand({
  description: [
    'Shows the steps in which an image was built, newest first. SIZE is the size of the unpacked layer, 0 for a step without a layer, and empty for a layer that is missing in the repository. CREATED is in local time.',
  ],
  operands: {
    image: {
      label: 'IMAGE',
      description: "A name, as 'atomic images list' shows it, or the beginning of an id.",
    },
  },
  options: {
    quiet: {
      kind: 'flag',
      short: 'q',
      description: 'Print only the digests of the layers, also with --json.',
    },
    'no-trunc': { kind: 'flag', description: 'Print texts and digests in full.' },
    json: { kind: 'flag', description: 'Print a JSON document.' },
    ...storageOption,
  },
  examples: [{ comment: 'How it was built', commands: ['atomic images history --no-trunc gscrivano/etcd'] }],
  files: [],
  exitStatuses: [],
  async run(host, { options, operands }, person) {
    checkStorage(options.storage);
    const [{ readImage }, { withSecondLook }, { listImages }, { readImageDescription }] = await Promise.all([
      import('../../store/find-image.ts'),
      import('../../store/access/store-lock.ts'),
      import('../../store/list-images.ts'),
      import('../../store/describe-image.ts'),
    ]);
    const description = await withSecondLook(host, async (looking) => {
      const image = await readImage(looking, operands.image);
      return readImageDescription(looking, image, await listImages(looking));
    });
    const display = options.json || options.quiet ? plainDisplay : person.findDisplay();
    return { text: formatImageHistory(description, options, display) };
  },
});
