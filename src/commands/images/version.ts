import { formatJson } from '../../cli/output/format-json.ts';
import { defineCommand } from '../options/command.ts';
import { checkStorage, storageOption } from '../options/common-options.ts';
import { formatVersions } from './version-view.ts';

export const imagesVersion = defineCommand({
  description: [
    'Shows the version of an image: its labels Version and Release, or its id when it has no such label. For the beginning of an id, the command prints a line for each name of the image.',
  ],
  operands: {
    image: {
      label: 'IMAGE',
      description: "A name, as 'atomic images list' shows it, or the beginning of an id.",
      missing: 'For the version of atomic itself: atomic version',
    },
  },
  options: {
    json: { kind: 'flag', description: 'Print a JSON document.' },
    recurse: { kind: 'flag', short: 'r', isCompatibility: true, description: 'No effect.' },
    ...storageOption,
  },
  examples: [
    { comment: 'Show which version of etcd is stored', commands: ['atomic images version gscrivano/etcd'] },
  ],
  files: [],
  exitStatuses: [],
  async run(host, { options, operands }) {
    checkStorage(options.storage);
    const [{ readImages }, { readConfiguration }, { findVersion }] = await Promise.all([
      import('../../store/find-image.ts'),
      import('../../store/describe-image.ts'),
      import('../../image/configuration-blob.ts'),
    ]);
    const versions = [];
    for (const image of await readImages(host, operands.image)) {
      const { config } = await readConfiguration(host, image);
      versions.push({
        image: image.reference,
        version: findVersion(config.labels) ?? image.id,
        id: image.id,
      });
    }
    return {
      text: options.json ? formatJson({ schemaVersion: 1, versions }) : formatVersions(versions),
    };
  },
});
