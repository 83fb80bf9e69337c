import { AtomicError } from '../../base/errors.ts';
import { toPrintable } from '../../base/printable.ts';
import { buildUsageError } from '../../cli/arguments/usage-error.ts';
import { formatJson } from '../../cli/output/format-json.ts';
import type { ListedContainer } from '../../containers/container.ts';
import { adviceForExistingName, parseContainerName } from '../../containers/render/container-name.ts';
import type { Host } from '../../host/host.ts';
import { formatProposal, proposeImages } from '../../image/propose-images.ts';
import { defineCommand } from '../options/command.ts';
import { checkStorage, storageOption } from '../options/common-options.ts';
import { confirmDeletion } from '../options/confirm-deletion.ts';
import { formatContainerDeletion, formatContainerQuestion } from './delete-view.ts';

export const containersDelete = defineCommand({
  description: [
    "Asks for confirmation, and then uninstalls containers as 'atomic uninstall' does. The images stay. When a container cannot be uninstalled, the command continues with the others.",
  ],
  operands: {
    names: {
      label: 'NAME',
      count: 'many',
      description: "The containers, as 'atomic containers list -a' shows them.",
    },
  },
  options: {
    all: { kind: 'flag', short: 'a', description: 'Uninstall all containers.' },
    force: { kind: 'flag', short: 'f', description: 'Do not ask.' },
    assumeyes: { kind: 'flag', short: 'y', description: 'Do not ask.' },
    json: {
      kind: 'flag',
      description: 'Print the result as a JSON document; progress goes to standard error.',
    },
    ...storageOption,
  },
  examples: [{ comment: 'Remove two containers', commands: ['atomic containers delete etcd flannel'] }],
  files: [],
  exitStatuses: [],
  async run(host, { options, operands: { names } }, person) {
    checkStorage(options.storage);
    if (options.all === names.length > 0) {
      throw buildUsageError(
        'BAD_OPTION',
        'You must select --all or provide a list of containers to delete.',
        'containers delete',
      );
    }
    const [{ requireSystemAccess }, { listContainers }, { uninstallContainers }] = await Promise.all([
      import('../../containers/preconditions.ts'),
      import('../../containers/list-containers.ts'),
      import('../../containers/uninstall/uninstall-several.ts'),
    ]);
    for (const name of names) parseContainerName(name, adviceForExistingName);
    await requireSystemAccess(host, 'uninstall');
    const containers = selectContainers(await listContainers(host), options.all ? undefined : names);
    if (containers.length === 0 && !options.json) return { text: 'No containers to delete\n' };
    const found = containers.map(({ name }) => name);
    if (options.force || options.assumeyes || person.assumeYes || found.length === 0) {
      announce(host, containers);
    } else {
      await confirmDeletion(person, formatContainerQuestion(containers), options.all ? found : names);
    }
    const kept = await uninstallContainers(host, found);
    return { text: options.json ? formatJson({ schemaVersion: 1, uninstalled: found, kept }) : '' };
  },
});

/** @param names all of them when undefined */
function selectContainers(
  all: readonly ListedContainer[],
  names: readonly string[] | undefined,
): readonly ListedContainer[] {
  const known = all.map(({ name }) => name);
  const unknown = names?.find((name) => !known.includes(name));
  if (unknown === undefined) return all.filter(({ name }) => names?.includes(name) ?? true);
  throw new AtomicError(
    'CONTAINER_NOT_FOUND',
    `System container '${toPrintable(unknown)}' is not installed`,
    {
      hint: formatProposal(proposeImages(unknown, known)) ?? 'List the containers: atomic containers list -a',
      details: { container: unknown },
    },
  );
}

/** Prints the list before the first deletion, when no question showed it. */
function announce(host: Host, containers: readonly ListedContainer[]): void {
  if (containers.length === 0) return;
  for (const text of formatContainerDeletion(containers).trimEnd().split('\n')) {
    host.report({ kind: 'notice', text });
  }
}
