import { formatJson } from '../../cli/output/format-json.ts';
import { defineCommand } from '../options/command.ts';
import { allOption, containersOperand, requireNamesOrAll } from '../options/container-names.ts';

const TOPIC = 'containers verify';

export const containersVerify = defineCommand({
  description: [
    'Compares containers with what their deployments record: the unit, the tmpfiles.d file, config.json, the files for the host, volumes, and each file of the root filesystem. A line names each difference.',
    "Some differences are shown and do not count: drop-ins, a service that is disabled or masked, files for the host that were edited, files that were added, and copies of files that could be hard links. An edited unit, tmpfiles.d file or config.json counts: put changes of a unit into a drop-in ('systemctl edit NAME').",
    'With --repair, the command brings back what is missing or changed, from the copies in the deployment and from the store. It replaces copies by hard links. It replaces an edited file only for a NAME, and keeps it beside the new one as FILE.atomic-old. A unit that was missing becomes enabled; no service is started or restarted. A lost volume is made as at an install, without its data.',
    "With a backup of /var/lib/containers/atomic on another host, --repair makes everything else that the containers need there, except their data. Damage of the store is repaired by 'atomic images verify --repair'.",
  ],
  operands: { names: containersOperand },
  options: {
    ...allOption,
    repair: { kind: 'flag', description: 'Bring back what is missing or changed.' },
    json: { kind: 'flag', description: 'Print the result as a JSON document.' },
  },
  examples: [
    { comment: 'All containers', commands: ['atomic containers verify'] },
    {
      comment: 'Bring back the unit of etcd, also when it was edited',
      commands: ['atomic containers verify --repair etcd'],
    },
    {
      comment: 'After a backup was restored on a new host',
      commands: ['atomic containers verify --repair'],
    },
  ],
  files: [{ name: 'FILE.atomic-old', text: 'The edited FILE that a repair has replaced.' }],
  exitStatuses: [{ name: '1', text: 'Also when a container differs, or could not be repaired.' }],
  async run(host, { options, operands: { names } }) {
    requireNamesOrAll(options.all, names, TOPIC);
    const [view, { isFault }] = await Promise.all([
      import('./verify-view.ts'),
      import('../../containers/drift/drift.ts'),
    ]);
    const { checkouts } = host.locations;
    if (options.repair) {
      const { repairContainersOf } = await import('../../containers/drift/repair-drift.ts');
      const repairs = await repairContainersOf(host, names);
      return {
        text: options.json
          ? formatJson(view.buildDriftRepairsJson(repairs))
          : view.formatDriftRepairs(repairs, checkouts, names.length > 0),
        exitStatus: repairs.some(({ after, failure }) => failure !== undefined || after.some(isFault))
          ? 1
          : 0,
      };
    }
    const { verifyContainers } = await import('../../containers/drift/find-drift.ts');
    const found = await verifyContainers(host, names);
    return {
      text: options.json ? formatJson(view.buildDriftsJson(found)) : view.formatDrifts(found, checkouts),
      exitStatus: found.some(({ drifts }) => drifts.some(isFault)) ? 1 : 0,
    };
  },
});
