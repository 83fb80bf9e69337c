import { formatJson } from '../../cli/output/format-json.ts';
import { defineCommand } from '../options/command.ts';
import { checkStorage, storageOption } from '../options/common-options.ts';

export const imagesTag = defineCommand({
  description: [
    'Gives an image another name; nothing is copied. If another image has the name TARGET, the name moves to this image.',
  ],
  operands: {
    source: {
      label: 'SOURCE',
      values: ['image'],
      description: 'A name of the image, or the beginning of its id.',
    },
    target: {
      label: 'TARGET',
      description: 'The new name, [REGISTRY[:PORT]/]NAME[:TAG]. The default tag is latest.',
    },
  },
  options: {
    json: { kind: 'flag', description: 'Print the result as a JSON document.' },
    ...storageOption,
  },
  examples: [
    {
      comment: 'Keep a working version when the tag moves to a newer image',
      commands: ['atomic images tag registry.example.com/etcd etcd:known-good'],
    },
  ],
  files: [],
  exitStatuses: [],
  async run(host, { options, operands }) {
    checkStorage(options.storage);
    const { tagImage } = await import('../../store/tag-image.ts');
    const { image, replaced } = await tagImage(host, operands.source, operands.target);
    if (!options.json) return { text: '' };
    const { reference, id, commit } = image;
    return {
      text: formatJson({
        schemaVersion: 1,
        image: { reference, id, commit },
        replaced: replaced?.id ?? null,
      }),
    };
  },
});
