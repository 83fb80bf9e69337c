import type { AtomicError } from '../../base/errors.ts';
import { buildUsageError } from '../../cli/arguments/usage-error.ts';
import { formatJson } from '../../cli/output/format-json.ts';
import type { ImageDeletion, ImageSelection } from '../../containers/cleanup/delete-images.ts';
import { defineCommand, type Person } from '../options/command.ts';
import { checkStorage, storageOption } from '../options/common-options.ts';
import { confirmDeletion, formatDeletion, formatDeletionQuestion } from '../options/confirm-deletion.ts';

export const imagesDelete = defineCommand({
  description: [
    "Asks for confirmation, and then deletes names of images. The beginning of an id means all names of that image. The command checks all arguments before it deletes the first name. 'atomic images prune' frees the space.",
    'Without --force, the last name of an image that a container uses is not deleted, also when only a rollback uses it. When a container is so damaged that its image is unknown, no image loses its last name. Containers keep working: their files stay in the repository until they are uninstalled.',
  ],
  operands: {
    images: {
      label: 'IMAGE',
      count: 'many',
      description: "A name, as 'atomic images list' shows it, or the beginning of an id.",
    },
  },
  options: {
    all: { kind: 'flag', short: 'a', description: 'Delete all images.' },
    force: {
      kind: 'flag',
      short: 'f',
      description: 'Do not ask, and delete images that containers use.',
    },
    json: { kind: 'flag', description: 'Print the result as a JSON document.' },
    assumeyes: { kind: 'flag', short: 'y', description: 'Do not ask.' },
    remote: {
      kind: 'flag',
      isCompatibility: true,
      description: 'Refused: images in a registry are not deleted.',
    },
    ...storageOption,
  },
  examples: [
    { comment: 'Delete a name', commands: ['atomic images delete gscrivano/etcd'] },
    {
      comment: 'All names of an image, without a question',
      commands: ['atomic images delete -f d7c1702506ff'],
    },
  ],
  files: [],
  exitStatuses: [],
  async run(host, { options, operands: { images } }, person) {
    checkStorage(options.storage);
    if (options.remote) throw buildRemoteRefusal(images);
    const selection = parseSelection(options.all, images);
    const { applyDeletion, planDeletion, requireUnused } = await import(
      '../../containers/cleanup/delete-images.ts'
    );
    const deletion = await planDeletion(host, selection);
    if (deletion.names.length === 0 && !options.json) return { text: 'No images to delete.\n' };
    if (!options.force) {
      await requireUnused(host, deletion);
      if (!options.assumeyes) await confirm(person, deletion, images);
    }
    await applyDeletion(host, deletion);
    if (options.json) return { text: formatJson(buildJson(deletion)) };
    const isSeen = options.force || !(options.assumeyes || person.assumeYes);
    return { text: isSeen ? '' : formatDeletion(deletion.names) };
  },
});

function parseSelection(all: boolean, words: readonly string[]): ImageSelection {
  if (all === words.length > 0) {
    throw buildUsageError(
      'BAD_OPTION',
      'You must select --all or provide a list of images to delete.',
      'images delete',
    );
  }
  return all ? { kind: 'all' } : { kind: 'written', words };
}

async function confirm(person: Person, { names }: ImageDeletion, words: readonly string[]): Promise<void> {
  if (person.assumeYes || names.length === 0) return;
  const shown = words.length > 0 ? words : names.map(({ reference }) => reference);
  await confirmDeletion(person, formatDeletionQuestion(names), shown);
}

function buildJson({ names }: ImageDeletion): Record<string, unknown> {
  return {
    schemaVersion: 1,
    deleted: names.map(({ reference, id }) => ({ reference, id: id ?? null })),
  };
}

function buildRemoteRefusal(words: readonly string[]): AtomicError {
  return buildUsageError(
    'BAD_OPTION',
    '--remote: images in a registry are not deleted by this program',
    'images delete',
    `Use \`skopeo delete docker://${words[0] ?? 'NAME'}\`.`,
  );
}
