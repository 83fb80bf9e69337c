import { buildUsageError } from '../../cli/arguments/usage-error.ts';
import { formatJson } from '../../cli/output/format-json.ts';
import type { ImageUpdateOutcome } from '../../store/pull/update-image.ts';
import { defineCommand, type Output } from '../options/command.ts';
import { checkStorage, storageOption } from '../options/common-options.ts';
import { parseSourceOptions, sourceOptions } from '../options/source-options.ts';
import { formatImageUpdates, type UpdateRow } from './update-view.ts';

const TOPIC = 'images update';

export const imagesUpdate = defineCommand({
  description: [
    'Pulls the image that the name of a stored image refers to now, from the source of the stored image. Installed containers do not change.',
    'With --all, the command updates every image that came from a registry, and prints a summary. When an image cannot be fetched, the command continues with the others.',
  ],
  operands: {
    image: {
      label: 'IMAGE',
      count: 'optional',
      description: "A name, as 'atomic images list' shows it.",
    },
  },
  options: {
    all: { kind: 'flag', short: 'a', description: 'Update all images.' },
    ...sourceOptions,
    json: {
      kind: 'flag',
      description: 'Print the result as a JSON document; progress goes to standard error.',
    },
    force: {
      kind: 'flag',
      short: 'f',
      isCompatibility: true,
      description: 'Refused: containers of an older image do not prevent an update.',
    },
    ...storageOption,
  },
  examples: [
    { comment: 'One image', commands: ['atomic images update registry.example.com/etcd'] },
    { comment: 'All of them', commands: ['atomic images update --all'] },
  ],
  files: [],
  exitStatuses: [{ name: '1', text: 'Also when an image could not be fetched, with --all.' }],
  async run(host, { options, operands: { image } }, person): Promise<Output> {
    checkStorage(options.storage);
    if (options.all && image !== undefined) {
      throw buildUsageError('BAD_OPTION', 'Cannot specify both --all and an image name', TOPIC);
    }
    if (options.all && options.force) {
      throw buildUsageError('BAD_OPTION', 'Cannot specify both --all and --force', TOPIC);
    }
    if (options.force) {
      throw buildUsageError('BAD_OPTION', '--force is not supported by ostree images', TOPIC);
    }
    const source = parseSourceOptions(options);
    const { updateAllImages, updateImage } = await import('../../store/pull/update-image.ts');
    if (options.all) {
      const outcomes = await updateAllImages(host, source);
      const rows = outcomes.map(buildRow);
      return {
        text: options.json
          ? formatJson({ schemaVersion: 1, images: rows })
          : formatImageUpdates(rows, person.findDisplay()),
        exitStatus: outcomes.every(({ kind }) => kind === 'updated') ? 0 : 1,
      };
    }
    if (image === undefined) {
      throw buildUsageError('BAD_OPTION', 'Too few arguments: IMAGE is missing', TOPIC);
    }
    const updated = await updateImage(host, image, source);
    const row = buildRow({ kind: 'updated', ...updated });
    if (options.json) return { text: formatJson({ schemaVersion: 1, images: [row] }) };
    return { text: '' };
  },
});

function buildRow(outcome: ImageUpdateOutcome): UpdateRow {
  const { reference, before } = outcome;
  if (outcome.kind === 'failed') return { reference, before, after: before, status: 'Could not pull' };
  const { after } = outcome;
  return { reference, before, after, status: before === after ? 'Updated' : 'Updated now' };
}
