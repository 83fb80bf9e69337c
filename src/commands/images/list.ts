import { plainDisplay } from '../../cli/output/display.ts';
import { defineCommand } from '../options/command.ts';
import { checkStorage, listOptions, storageOption } from '../options/common-options.ts';
import { buildBlobRow, buildImageRow, formatImageList, imageFilters } from './list-view.ts';

export const imagesList = defineCommand({
  description: [
    "Lists the images in the OSTree repository. '>' marks an image that an installed container uses. CREATED is the time when the image was stored here, in local time. VIRTUAL SIZE is the sum of the sizes of its layers as they were transferred. Without images the command prints nothing. A damaged image is left out, with a warning.",
    'Names for --filter: repo (repository), tag, id (image), created, size, type, is_dangling.',
  ],
  operands: {},
  options: {
    all: { kind: 'flag', short: 'a', description: 'Show layers and configuration blobs too, as <none>.' },
    quiet: { kind: 'flag', short: 'q', description: 'Print only ids, also with --json.' },
    'no-trunc': { kind: 'flag', description: 'Print ids and names in full.' },
    ...listOptions,
    filter: { ...listOptions.filter, choices: imageFilters },
    ...storageOption,
  },
  examples: [
    { comment: 'All images', commands: ['atomic images list'] },
    {
      comment: 'The ids of one repository, in full',
      commands: ['atomic images list -q --no-trunc -f repo=gscrivano/etcd'],
    },
  ],
  files: [],
  exitStatuses: [],
  async run(host, { options }, person) {
    checkStorage(options.storage);
    const [{ listImages, listBlobs }, { listUsedImageIds }, { readLocalZone }] = await Promise.all([
      import('../../store/list-images.ts'),
      import('../../containers/image-users.ts'),
      import('../../host/local-zone.ts'),
    ]);
    const [images, blobs, used] = await Promise.all([
      listImages(host),
      options.all ? listBlobs(host) : [],
      listUsedImageIds(host),
    ]);
    const rows = [...images.map((image) => buildImageRow(image, used)), ...blobs.map(buildBlobRow)];
    const display = options.json || options.quiet ? plainDisplay : person.findDisplay();
    return { text: formatImageList(rows, { ...options, zone: readLocalZone(host.env), display }) };
  },
});
