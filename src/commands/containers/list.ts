import { plainDisplay } from '../../cli/output/display.ts';
import { defineCommand } from '../options/command.ts';
import { checkStorage, listOptions, storageOption } from '../options/common-options.ts';
import { containerFilters, describeLeftOut, formatContainerList } from './list-view.ts';

export const containersList = defineCommand({
  description: [
    'Lists the containers that are running, failed, damaged or without a service. CREATED is the time when the deployment was made, in local time. For a damaged container, a warning gives the reason. Without containers the command prints nothing.',
    'A column UNIT is there when a unit is unusual: no unit, edited, masked or disabled.',
    'Names for --filter: container, image, command, created, state (status), runtime, backend, unit.',
  ],
  operands: {},
  options: {
    all: { kind: 'flag', short: 'a', description: 'Show inactive containers too.' },
    quiet: { kind: 'flag', short: 'q', description: 'Print only names, also with --json.' },
    'no-trunc': { kind: 'flag', description: 'Print commands, images and names in full.' },
    ...listOptions,
    filter: { ...listOptions.filter, choices: containerFilters },
    ...storageOption,
  },
  examples: [
    { comment: 'All containers', commands: ['atomic containers list -a'] },
    {
      comment: 'The values with which a container was installed',
      commands: ['atomic containers list -a --json -f container=etcd'],
    },
  ],
  files: [],
  exitStatuses: [],
  async run(host, { options }, person) {
    checkStorage(options.storage);
    const [{ listContainers }, { readLocalZone }] = await Promise.all([
      import('../../containers/list-containers.ts'),
      import('../../host/local-zone.ts'),
    ]);
    const containers = await listContainers(host);
    const isTable = !options.json && !options.quiet;
    const display = isTable ? person.findDisplay() : plainDisplay;
    const shown = { ...options, zone: readLocalZone(host.env), display };
    const text = formatContainerList(containers, shown);
    for (const container of containers) {
      if (container.kind !== 'damaged') continue;
      host.report({ kind: 'warning', text: `Container ${container.name} is damaged: ${container.reason}` });
    }
    const remark = display.width === undefined ? undefined : describeLeftOut(containers, shown);
    return remark === undefined ? { text } : { text, remark };
  },
});
