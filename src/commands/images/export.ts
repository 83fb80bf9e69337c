import { defineCommand } from '../options/command.ts';
import { checkStorage, storageOption } from '../options/common-options.ts';
import { formatExportedImage, formatExportedImageJson } from './export-view.ts';

export const imagesExport = defineCommand({
  description: [
    'Writes an image from the OSTree repository to files. The layers are rebuilt byte for byte; they are compressed again as Docker, podman, skopeo, zlib or zstd do it, and where the digests come out as they were, the manifest stays the same. Where they do not, a warning says which layer is another blob now, and why. The configuration never changes.',
    'A file that is there already is not replaced. On the disk of the repository it needs the size of the compressed layers for the time of the copy; of the uncompressed ones for docker-archive.',
  ],
  operands: {
    image: { label: 'IMAGE', description: 'Name of the image, or the beginning of its id.' },
    destination: {
      label: 'DESTINATION',
      description:
        'oci:FOLDER[:TAG] (an OCI image layout, also one with other images), oci-archive:FILE[:TAG], docker-archive:FILE[:NAME:TAG] (for "docker load"), or dir:FOLDER. Paths cannot have a colon. By default tag and name are those under which the image is stored.',
    },
  },
  options: {
    json: { kind: 'flag', description: 'Print the result as a JSON document.' },
    ...storageOption,
  },
  examples: [
    {
      comment: 'To carry it to a machine without network',
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
