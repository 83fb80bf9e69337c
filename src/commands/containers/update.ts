import { buildUsageError } from '../../cli/arguments/usage-error.ts';
import { formatJson } from '../../cli/output/format-json.ts';
import type { UpdateOutcome } from '../../containers/update/update-all.ts';
import { defineCommand } from '../options/command.ts';
import { progressOption } from '../options/common-options.ts';
import { createConsent } from '../options/consent.ts';
import { healthOptions, parseHealthOptions } from '../options/health-options.ts';
import {
  argsOperand,
  hasServiceOptions,
  readServiceOptions,
  serviceOptions,
} from '../options/service-options.ts';
import { parseSourceOptions, sourceOptions } from '../options/source-options.ts';
import { parseSecrets, parseValueOptions, secretOption, valueOptions } from '../options/value-options.ts';
import { buildUpdateJson } from './update-json.ts';
import { formatUpdate, formatUpdateSummary } from './update-text.ts';

/** `--retry` concerns images here; after a lost connection, a transfer is tried again with the default pauses. */
const { retry: _, ...accessOptions } = sourceOptions;

export const containersUpdate = defineCommand({
  description: [
    'Updates a container to the image that its image name refers to in the repository now, or to other values. The new deployment is built beside the running one and checked; then the service is stopped, and started from the new deployment. A service that does not run is not started.',
    'When the service does not come up, the command restores and starts the old deployment, and fails. It records the id of the image: --all does not try this image again without --retry.',
    "To go back later, use 'atomic containers rollback NAME'.",
  ],
  operands: {
    names: {
      label: 'NAME',
      count: 'many',
      description: "The containers, as 'atomic containers list -a' shows them.",
    },
    args: argsOperand,
  },
  options: {
    all: {
      kind: 'flag',
      short: 'a',
      description: 'Update all containers that are not held, and print a summary.',
    },
    together: {
      kind: 'flag',
      description:
        'Update all of the containers or none: they are stopped and started together, and one that fails restores all.',
    },
    rebase: {
      kind: 'value',
      label: 'IMAGE',
      values: ['source'],
      description: "Update to another image, written as for 'atomic pull'. A missing image is pulled.",
    },
    ...valueOptions,
    ...secretOption,
    unset: {
      kind: 'list',
      label: 'NAME',
      values: [],
      description: 'Remove a value that was set; the default of the image is used again.',
    },
    'unset-secret': {
      kind: 'list',
      label: 'NAME',
      values: [],
      description: 'Remove a secret of the container.',
    },
    ...serviceOptions,
    reset: {
      kind: 'list',
      label: 'OPTION[=KEY]',
      choices: [...Object.keys(serviceOptions), 'args'],
      description:
        'Take an option of the install away: memory, env=NAME, volume=DESTINATION, or args for the words after --.',
    },
    pull: { kind: 'flag', description: 'Fetch the image from its source first.' },
    'no-start': { kind: 'flag', description: 'Stop the service, and do not start it again.' },
    ...healthOptions,
    retry: {
      kind: 'flag',
      description:
        'With --all: also try an image with which the service did not come up in an earlier update. With NAME, every image is tried.',
    },
    'accept-widening': {
      kind: 'flag',
      description: 'Accept a new deployment that asks for more of the host than the old one.',
    },
    'keep-new': {
      kind: 'flag',
      description:
        'When the host already has a file P that the image also contains, write the file of the image to P.atomic-new.',
    },
    'no-lint': {
      kind: 'flag',
      description:
        "Update also to what would not start: the errors that 'atomic lint' explains become warnings.",
    },
    display: { kind: 'flag', description: 'Print what would be done; change no container.' },
    ...accessOptions,
    json: {
      kind: 'flag',
      description: 'Print the result as a JSON document; progress goes to standard error.',
    },
    ...progressOption,
  },
  examples: [
    { comment: 'Fetch a newer etcd and switch to it', commands: ['atomic containers update --pull etcd'] },
    {
      comment: 'Another image and another value',
      commands: ['atomic containers update --rebase registry.example.com/etcd:3.5 --set PORT=2380 etcd'],
    },
    {
      comment: 'Two containers that only work with each other',
      commands: ['atomic containers update --pull --together etcd flannel'],
    },
  ],
  files: [],
  exitStatuses: [],
  async run(host, { options, operands: { names, args } }, person) {
    const isAll = requireNames(options.all, names, {
      changes:
        options.rebase !== undefined ||
        [
          ...[options.set, options['set-any'], options['set-file']],
          ...[options.unset, options.reset],
          ...[options.secret, options['unset-secret']],
        ].some((words) => words.length > 0) ||
        hasServiceOptions(options, args),
    });
    const { updateContainer } = await import('../../containers/update/update-together.ts');
    const { updateAll, updateAllTogether } = await import('../../containers/update/update-all.ts');
    const source = parseSourceOptions({ ...options, retry: undefined });
    const consent = {
      isGiven: options['accept-widening'] || host.settings.consent === 'any',
      isUnattended: isAll,
    };
    const { values: set, checkedNames } = await parseValueOptions(options);
    const request = {
      ...{ rebase: options.rebase, set, checkedNames, unset: options.unset },
      ...{ secrets: parseSecrets(options), unsetSecrets: options['unset-secret'] },
      ...{ pulls: options.pull, starts: !options['no-start'], isPlan: options.display },
      options: { set: await readServiceOptions(options, args), reset: options.reset },
      ...{ keepsNew: options['keep-new'], skipsLint: options['no-lint'] },
      ...{ retries: options.retry || !isAll, ...parseHealthOptions(options) },
      consent: createConsent(host, person, consent),
    };
    const [name = ''] = names;
    const updateSeveral = options.together ? updateAllTogether : updateAll;
    const lines: readonly UpdateOutcome[] =
      names.length === 1
        ? [await updateContainer(host, name, request, source)]
        : await updateSeveral(host, isAll ? undefined : names, request, source);
    const exitStatus = lines.some(({ outcome }) => outcome === 'failed') ? 1 : 0;
    if (options.json) return { text: formatJson(buildUpdateJson(lines)), exitStatus };
    const summary = isAll ? formatUpdateSummary(lines, person.findDisplay()) : '';
    return { text: `${lines.map(formatUpdate).join('')}${summary}`, exitStatus };
  },
});

/** @returns whether all containers are meant; @throws BAD_OPTION in the words of the original (compatibility C-01) */
function requireNames(
  all: boolean,
  names: readonly string[],
  { changes }: { readonly changes: boolean },
): boolean {
  const refuse = (message: string) => buildUsageError('BAD_OPTION', message, 'containers update');
  if (!all && names.length === 0) throw refuse('Too few arguments.  Please specify the container');
  if (all && names.length > 0) {
    throw refuse("Incompatible options specified.  --all doesn't support a container name");
  }
  if (changes && (all || names.length > 1)) {
    throw refuse("Incompatible options specified.  --all doesn't support --set or --rebase");
  }
  return all;
}
