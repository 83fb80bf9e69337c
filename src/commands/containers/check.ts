import { formatJson } from '../../cli/output/format-json.ts';
import type { CheckedContainer } from '../../containers/update/check-containers.ts';
import { defineCommand } from '../options/command.ts';
import { allOption, containersOperand, requireNamesOrAll } from '../options/container-names.ts';
import { parseSourceOptions, sourceOptions } from '../options/source-options.ts';
import { buildChecksJson, formatChecks } from './check-text.ts';

const TOPIC = 'containers check';
const STATUS_NEWER = 10;

export const containersCheck = defineCommand({
  description: [
    'Shows which containers have a newer image, in the repository or in the registry of the image. It asks registries only for digests; it fetches and changes nothing.',
    'A newer image is shown as refused when the service did not come up with it in an earlier update, and as held when the container is held.',
  ],
  operands: { names: containersOperand },
  options: {
    ...allOption,
    'exit-status': {
      kind: 'flag',
      description: "End with 10 when 'containers fetch' and 'containers update --all' would update one.",
    },
    ...sourceOptions,
    json: { kind: 'flag', description: 'Print the result as a JSON document.' },
  },
  examples: [
    { comment: 'Which containers have a newer image', commands: ['atomic containers check'] },
    { comment: 'In a script', commands: ['atomic containers check --exit-status etcd'] },
  ],
  files: [],
  exitStatuses: [{ name: '10', text: 'With --exit-status: a container has a newer image.' }],
  async run(host, { options, operands: { names } }, person) {
    requireNamesOrAll(options.all, names, TOPIC);
    const { checkContainers } = await import('../../containers/update/check-containers.ts');
    const checked = await checkContainers(host, names, parseSourceOptions(options));
    return {
      text: options.json ? formatJson(buildChecksJson(checked)) : formatChecks(checked, person.findDisplay()),
      exitStatus: options['exit-status'] && checked.some(isNewer) ? STATUS_NEWER : 0,
    };
  },
});

function isNewer(line: CheckedContainer): boolean {
  return line.kind === 'checked' && line.checked.outcome === 'newer';
}
