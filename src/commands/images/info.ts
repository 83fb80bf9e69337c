import { buildUsageError } from '../../cli/arguments/usage-error.ts';
import { formatJson } from '../../cli/output/format-json.ts';
import { foldMessage } from '../../cli/output/text-width.ts';
import { defineCommand } from '../options/command.ts';
import { checkStorage, storageOption } from '../options/common-options.ts';
import { buildImageInfoJson, formatImageInfo } from './info-view.ts';

export const imagesInfo = defineCommand({
  description: [
    "Shows the labels of an image, the variables of its templates that 'atomic install --set' may or must give, and its size on the disk: in total, shared with other images, and used by this image only. To delete and prune the image frees the last size, unless a container uses the image. Sizes are lengths of files; each file counts once.",
  ],
  operands: {
    image: {
      label: 'IMAGE',
      description: "A name, as 'atomic images list' shows it, or the beginning of an id.",
      missing: 'For all images: atomic images list',
    },
  },
  options: {
    json: { kind: 'flag', description: 'Print a JSON document.' },
    remote: { kind: 'flag', isCompatibility: true, description: 'Refused: only stored images are shown.' },
    ...storageOption,
  },
  examples: [{ comment: 'Which variables can be set', commands: ['atomic images info gscrivano/flannel'] }],
  files: [],
  exitStatuses: [],
  async run(host, { options, operands }, person) {
    checkStorage(options.storage);
    if (options.remote) {
      throw buildUsageError(
        'BAD_OPTION',
        "The --remote option cannot be used with the 'ostree' storage option.",
        'images info',
        'Look at an image in a registry with `skopeo inspect docker://NAME`.',
      );
    }
    const [{ readImage }, { withSecondLook }, { readImageInfo }] = await Promise.all([
      import('../../store/find-image.ts'),
      import('../../store/access/store-lock.ts'),
      import('../../containers/prepare/read-image-info.ts'),
    ]);
    const info = await withSecondLook(host, async (looking) =>
      readImageInfo(looking, await readImage(looking, operands.image)),
    );
    if (options.json) return { text: formatJson(buildImageInfoJson(info)) };
    return { text: foldMessage(formatImageInfo(info), person.findDisplay().width) };
  },
});
