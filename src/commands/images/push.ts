import { defineCommand } from '../options/command.ts';
import { checkStorage, storageOption } from '../options/common-options.ts';
import { parseSourceOptions, sourceOptions } from '../options/source-options.ts';
import { formatExportedImage, formatExportedImageJson } from './export-view.ts';

export const imagesPush = defineCommand({
  description: [
    'Copies an image from the OSTree repository to a registry. The layers are rebuilt byte for byte and compressed again as Docker, podman, skopeo, zlib or zstd compress them. When all digests are the original ones, the manifest does not change. Otherwise a warning names each layer whose digest has changed, and the reason. The configuration does not change.',
    'During the copy, the compressed layers need space on the disk of the repository.',
  ],
  operands: {
    image: { label: 'IMAGE', description: 'Name of the image, or the beginning of its id.' },
    destination: {
      label: 'DESTINATION',
      count: 'optional',
      description:
        'REGISTRY[:PORT]/NAME[:TAG]. The default is the name of the stored image, when that names a registry.',
    },
  },
  options: {
    ...sourceOptions,
    json: { kind: 'flag', description: 'Print the result as a JSON document.' },
    ...storageOption,
  },
  examples: [
    {
      comment: 'To the registry in its name',
      commands: ['atomic images push registry.example.com/etcd:3.4'],
    },
    {
      comment: 'To another registry',
      commands: ['atomic images push registry.example.com/etcd:3.4 127.0.0.1:5000/etcd:3.4'],
    },
  ],
  files: [{ name: '/etc/containers/registries.conf', text: 'Registries without TLS.' }],
  exitStatuses: [],
  async run(host, { options, operands }) {
    checkStorage(options.storage);
    const access = parseSourceOptions(options);
    const { pushImage } = await import('../../store/export/export.ts');
    const pushed = await pushImage(host, operands.image, operands.destination, access);
    return { text: options.json ? formatExportedImageJson(pushed) : formatExportedImage(pushed) };
  },
});
