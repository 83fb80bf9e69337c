import { formatJson } from '../../cli/output/format-json.ts';
import { foldMessage } from '../../cli/output/text-width.ts';
import { defineCommand } from '../options/command.ts';
import { checkStorage, storageOption } from '../options/common-options.ts';
import { parseValueOptions, valueOptions } from '../options/value-options.ts';
import { buildLintJson, formatLint } from './lint-view.ts';

const STATUS_ERRORS = 1;

export const lint = defineCommand({
  description: [
    'Checks the templates of an image, and what an install would make of them: config.json against the runtime specification and what runc and crun refuse, the unit with systemd-analyze, the lines for systemd-tmpfiles, the command and its interpreter in the image, the names in manifest.json. Then it lists what the image asks of the host. Nothing is installed. A file with a variable that has no value is not checked.',
    "An error means that the container would not start, or that 'atomic install' would refuse it; a warning, that something has no effect or fails later. docs/image-format.md explains every rule.",
  ],
  operands: {
    subject: {
      label: 'IMAGE|DIR',
      description:
        "A stored image, as 'atomic images list' shows it, or a folder: a path that begins with / or . or ends with /. The folder has the templates, or has them in its folder exports.",
    },
  },
  options: {
    ...valueOptions,
    json: { kind: 'flag', description: 'Print a JSON document.' },
    ...storageOption,
  },
  examples: [
    { comment: 'Templates, before an image is built', commands: ['atomic lint ./etcd'] },
    { comment: 'An image, with its files', commands: ['atomic lint registry.example.com/etcd'] },
  ],
  files: [],
  exitStatuses: [{ name: '1', text: 'At least one error was found.' }],
  async run(host, { options, operands }, person) {
    checkStorage(options.storage);
    const { lintSubject } = await import('../../containers/author/lint-exports.ts');
    const report = await lintSubject(host, operands.subject, await parseValueOptions(options));
    return {
      text: options.json
        ? formatJson(buildLintJson(report))
        : foldMessage(formatLint(report), person.findDisplay().width),
      exitStatus: report.findings.some(({ level }) => level === 'error') ? STATUS_ERRORS : 0,
    };
  },
});
