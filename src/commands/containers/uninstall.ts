import { AtomicError } from '../../base/errors.ts';
import { formatJson } from '../../cli/output/format-json.ts';
import { adviceForExistingName, parseContainerName } from '../../containers/render/container-name.ts';
import type { Host } from '../../host/host.ts';
import { defineCommand, type Person } from '../options/command.ts';
import { checkStorage, storageOption } from '../options/common-options.ts';
import { confirmDeletion } from '../options/confirm-deletion.ts';

export const uninstall = defineCommand({
  description: [
    'Stops and disables the service of a container and removes its unit, its tmpfiles.d file and its files. The image stays, and so do its volumes, which a later install of the same name uses again, and other files that the service has written to the host. When a container cannot be uninstalled, the command continues with the others; the last line names the containers that could not be uninstalled.',
  ],
  operands: {
    names: {
      label: 'NAME',
      count: 'some',
      description: "A container, as 'atomic containers list -a' shows it.",
    },
  },
  options: {
    json: {
      kind: 'flag',
      description: 'Print the result as a JSON document; progress goes to standard error.',
    },
    purge: {
      kind: 'flag',
      description:
        'Remove the volumes of the container, too, after a question. Also for a container that was uninstalled before.',
    },
    assumeyes: { kind: 'flag', short: 'y', description: 'Do not ask.' },
    force: { kind: 'flag', short: 'f', isCompatibility: true, description: 'No effect.' },
    name: {
      kind: 'value',
      label: 'NAME',
      short: 'n',
      isCompatibility: true,
      description: 'Refused: the name is an argument.',
    },
    ...storageOption,
  },
  examples: [
    { comment: 'Remove the container etcd', commands: ['atomic uninstall etcd'] },
    { comment: 'Remove it with its data', commands: ['atomic uninstall --purge etcd'] },
  ],
  files: [
    { name: '/etc/systemd/system', text: 'NAME.service, removed.' },
    { name: '/etc/tmpfiles.d', text: 'NAME.conf, removed.' },
    { name: '/var/lib', text: 'NAME/volumes, the volumes; kept unless --purge is given.' },
  ],
  exitStatuses: [],
  async run(host, { options, operands }, person) {
    checkStorage(options.storage);
    if (options.name !== undefined) {
      throw new AtomicError(
        'BAD_VALUE',
        'System containers do not support --name. Please use atomic uninstall NAME',
      );
    }
    const { uninstallContainers } = await import('../../containers/uninstall/uninstall-several.ts');
    const names = [...new Set(operands.names)];
    if (options.purge && !options.assumeyes && !person.assumeYes) await confirmPurge(host, person, names);
    const kept = await uninstallContainers(host, names, options.purge ? 'remove' : 'keep');
    const uninstalled = names.length === 1 ? names[0] : names;
    return { text: options.json ? formatJson({ schemaVersion: 1, uninstalled, kept }) : '' };
  },
});

async function confirmPurge(host: Host, person: Person, names: readonly string[]): Promise<void> {
  const [{ requireSystemAccess }, { listVolumesOf }] = await Promise.all([
    import('../../containers/preconditions.ts'),
    import('../../containers/volumes/volume-folders.ts'),
  ]);
  for (const name of names) parseContainerName(name, adviceForExistingName);
  await requireSystemAccess(host, 'uninstall');
  const folders = await listVolumesOf(host, names);
  if (folders.length === 0) return;
  const lines = [
    'Do you wish to remove these folders with all data in them?',
    ...folders.map((path) => `  ${path}`),
  ];
  await confirmDeletion(person, `${lines.join('\n')}\nConfirm (y/N) `, names);
}
