import { formatJson } from '../../cli/output/format-json.ts';
import { defineCommand } from '../options/command.ts';
import { checkStorage, storageOption } from '../options/common-options.ts';
import { buildImageDocument } from './inspect-view.ts';

export const imagesInspect = defineCommand({
  description: [
    'Prints a JSON list with all facts about each image: names, digests, layers, platform, configuration, annotations, history, source, and the containers that use it.',
  ],
  operands: {
    images: {
      label: 'IMAGE',
      count: 'some',
      description: "A name, as 'atomic images list' shows it, or the beginning of an id.",
    },
  },
  options: {
    json: { kind: 'flag', isCompatibility: true, description: 'No effect: the output is JSON.' },
    ...storageOption,
  },
  examples: [
    {
      comment: 'How a container of the image is started',
      commands: ["atomic images inspect etcd | jq '.[0].config'"],
    },
  ],
  files: [],
  exitStatuses: [],
  async run(host, { options, operands }) {
    checkStorage(options.storage);
    const [
      stored,
      { withSecondLook },
      { listImages },
      { readImageDescription },
      deployed,
      { findImageUsers },
    ] = await Promise.all([
      import('../../store/find-image.ts'),
      import('../../store/access/store-lock.ts'),
      import('../../store/list-images.ts'),
      import('../../store/describe-image.ts'),
      import('../../containers/list-deployments.ts'),
      import('../../containers/image-users.ts'),
    ]);
    const deployments = await deployed.listDeployments(host);
    const documents = await withSecondLook(host, async (looking) => {
      const all = await listImages(looking);
      const built: unknown[] = [];
      for (const written of operands.images) {
        const image = await stored.readImage(looking, written);
        const description = await readImageDescription(looking, image, all);
        built.push(buildImageDocument(description, findImageUsers(deployments, image)));
      }
      return built;
    });
    return { text: formatJson(documents) };
  },
});
