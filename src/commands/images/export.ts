import { defineCommand } from '../options/command.ts';
import { checkStorage, storageOption } from '../options/common-options.ts';
import { formatExportedImage, formatExportedImageJson } from './export-view.ts';

export const imagesExport = defineCommand({
  description: [
    'Writes an image from the OSTree repository to files. The layers are rebuilt byte for byte and compressed again as Docker, podman, skopeo, zlib or zstd compress them. When all digests are the original ones, the manifest does not change. Otherwise a warning names each layer whose digest has changed, and the reason. The configuration does not change.',
    'An existing file is not replaced. During the copy, the compressed layers need space on the disk of the repository; for docker-archive, the uncompressed layers do.',
  ],
  operands: {
    image: { label: 'IMAGE', description: 'Name of the image, or the beginning of its id.' },
    destination: {
      label: 'DESTINATION',
      values: ['destination'],
      description:
        'oci:FOLDER[:TAG] (an OCI image layout, also one with other images), oci-archive:FILE[:TAG], docker-archive:FILE[:NAME:TAG] (for "docker load"), or dir:FOLDER. A path cannot contain a colon. The default tag and name are those of the stored image.',
    },
  },
  options: {
    json: { kind: 'flag', description: 'Print the result as a JSON document.' },
    ...storageOption,
  },
  examples: [
    {
      comment: 'For a machine without a network',
      commands: ['atomic images export registry.example.com/etcd:3.4 oci-archive:/media/usb/etcd.tar'],
    },
    { comment: 'For Docker', commands: ['atomic images export etcd docker-archive:etcd.tar:etcd:3.4'] },
  ],
  files: [],
  exitStatuses: [],
  async run(host, { options, operands }) {
    checkStorage(options.storage);
    const { exportImage } = await import('../../store/export/export.ts');
    const exported = await exportImage(host, operands.image, operands.destination);
    return { text: options.json ? formatExportedImageJson(exported) : formatExportedImage(exported) };
  },
});
