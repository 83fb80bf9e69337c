import { AtomicError } from '../../base/errors.ts';
import { formatJson } from '../../cli/output/format-json.ts';
import { defineCommand } from '../options/command.ts';
import { checkStorage, storageOption } from '../options/common-options.ts';

export const uninstall = defineCommand({
  description: [
    'Stops and disables the service of a container and removes its unit, its tmpfiles.d file and its files. The image stays, and so do the files that the service has written to lasting folders of the host. When a container cannot be uninstalled, the command continues with the others; the last line names the containers that could not be uninstalled.',
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
  examples: [{ comment: 'Remove the container etcd', commands: ['atomic uninstall etcd'] }],
  files: [
    { name: '/etc/systemd/system', text: 'NAME.service, removed.' },
    { name: '/etc/tmpfiles.d', text: 'NAME.conf, removed.' },
  ],
  exitStatuses: [],
  async run(host, { options, operands }) {
    checkStorage(options.storage);
    if (options.name !== undefined) {
      throw new AtomicError(
        'BAD_VALUE',
        'System containers do not support --name. Please use atomic uninstall NAME',
      );
    }
    const { uninstallContainers } = await import('../../containers/uninstall/uninstall-several.ts');
    const names = [...new Set(operands.names)];
    await uninstallContainers(host, names);
    const uninstalled = names.length === 1 ? names[0] : names;
    return { text: options.json ? formatJson({ schemaVersion: 1, uninstalled }) : '' };
  },
});
