import { AtomicError } from '../../base/errors.ts';
import { toPrintable } from '../../base/printable.ts';
import { defineCommand } from '../options/command.ts';

export const logs = defineCommand({
  description: [
    'Prints what the service of a container has written, and the messages of systemd about it, from the journal.',
  ],
  operands: {
    name: {
      label: 'NAME',
      description: "A container with a service, as 'atomic containers list -a' shows it.",
    },
  },
  options: {
    follow: {
      kind: 'flag',
      short: 'f',
      description: 'Print the last ten lines, then new lines until Ctrl-C.',
    },
    lines: {
      kind: 'value',
      label: 'N',
      short: 'n',
      aliases: ['tail'],
      description: 'Print the last N lines only.',
    },
    since: {
      kind: 'value',
      label: 'TIME',
      description: "Print lines since TIME, as journalctl reads it: '2026-11-30 14:00', yesterday, -10min.",
    },
  },
  examples: [
    { comment: 'The log of etcd', commands: ['atomic logs etcd'] },
    { comment: 'The last 50 lines, and new ones', commands: ['atomic logs -f -n 50 etcd'] },
  ],
  files: [],
  exitStatuses: [],
  async run(host, { options, operands }) {
    const lines = options.lines === undefined ? [] : [`--lines=${parseLines(options.lines)}`];
    const since = options.since === undefined ? [] : [`--since=${options.since}`];
    const { findServices } = await import('../../containers/control/describe-services.ts');
    const [name] = await findServices(host, 'logs', [operands.name]);
    const { runAttached } = await import('../../host/run-attached.ts');
    const follow = options.follow ? ['--follow'] : [];
    const { listScopes } = await import('../../containers/service/service-log.ts');
    const units = [`${name}.service`, ...listScopes(name ?? '')].map((unit) => `--unit=${unit}`);
    const argv = ['journalctl', '--no-pager', ...follow, ...lines, ...since, ...units];
    return { text: '', exitStatus: await runAttached(host, argv) };
  },
});

/** @throws BAD_VALUE */
function parseLines(text: string): string {
  if (/^(?:[0-9]{1,9}|all)$/.test(text)) return text;
  throw new AtomicError('BAD_VALUE', `Invalid value '${toPrintable(text, 80)}' of --lines`, {
    hint: 'Give a number of lines, or all.',
  });
}
