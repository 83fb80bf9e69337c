import { toPrintable } from '../../base/printable.ts';
import { formatJson } from '../../cli/output/format-json.ts';
import { defineCommand } from '../options/command.ts';

export const unmount = defineCommand({
  description: [
    'Unmounts a directory that atomic mount has mounted, and no other mounts. When processes use the mount, the command names them and changes nothing. After umount(8) it removes the remaining files of the mount.',
  ],
  operands: {
    directory: { label: 'DIR', description: 'The directory of the mount.' },
  },
  options: {
    json: { kind: 'flag', description: 'Print the result as a JSON document.' },
  },
  examples: [{ comment: 'End the mount at /mnt', commands: ['atomic unmount /mnt'] }],
  files: [{ name: '/var/lib/containers/atomic/.atomic/mounts', text: 'Data of mounts; unmount removes it.' }],
  exitStatuses: [],
  async run(host, { options, operands }) {
    const { unmountRoot } = await import('../../store/mount/unmount.ts');
    const { directory, outcome, record, stillAt, keptBy, left } = await unmountRoot(host, operands.directory);
    const [other] = stillAt;
    if (other !== undefined) {
      const text = `It is still mounted at ${stillAt.map((point) => toPrintable(point)).join(', ')}; its data stays until atomic unmount ${toPrintable(other)}`;
      host.report({ kind: 'warning', text });
    }
    if (keptBy !== undefined) {
      const text = `It is still mounted where process ${keptBy} sees it; the data of the mount stays until that process has ended, and the next mount or unmount removes it`;
      host.report({ kind: 'warning', text });
    }
    if (left !== undefined) {
      const text = `The filesystem is read-only: ${left} stays until it is writable and the next mount, unmount or images prune removes it`;
      host.report({ kind: 'warning', text });
    }
    if (options.json) {
      const unmounted = record === undefined ? null : { kind: record.kind, name: record.name };
      return {
        text: formatJson({
          schemaVersion: 1,
          directory,
          outcome,
          unmounted,
          still_at: stillAt,
          kept_by: keptBy ?? null,
        }),
      };
    }
    const shown = toPrintable(directory);
    if (outcome === 'unmounted') return { text: `Unmounted ${shown}\n` };
    const rest = keptBy === undefined && other === undefined ? '; removed its remaining data' : '';
    return { text: `Nothing was mounted at ${shown} any more${rest}\n` };
  },
});
