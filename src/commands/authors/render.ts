import { toPrintable } from '../../base/printable.ts';
import { escapeText } from '../../cli/output/escape-text.ts';
import type { RenderedFile } from '../../containers/author/render-exports.ts';
import { defineCommand } from '../options/command.ts';
import { checkStorage, storageOption } from '../options/common-options.ts';
import { parseValueOptions, valueOptions } from '../options/value-options.ts';

export const render = defineCommand({
  description: [
    "Prints the files that 'atomic install' would make of the templates of an image, or of a folder before an image is built: config.json, the unit, the tmpfiles.d file, and host files that are templates. It leaves out the options of an install, patches and missing bind sources; 'atomic install --display' has them.",
  ],
  operands: {
    subject: {
      label: 'IMAGE|DIR',
      description: 'A stored image, or a folder: a path that begins with / or . or ends with /.',
    },
    file: {
      label: 'FILE',
      values: [],
      choices: ['config.json', 'service', 'tmpfiles'],
      count: 'optional',
      description:
        'Only this file: config.json, service, tmpfiles, or the path of a host file. By default all of them, each below a line with its name.',
    },
  },
  options: {
    name: {
      kind: 'value',
      label: 'NAME',
      values: [],
      short: 'n',
      description: 'Name of the container. By default the word NAME stands for it.',
    },
    ...valueOptions,
    ...storageOption,
  },
  examples: [
    { comment: 'The unit', commands: ['atomic render --name etcd ./etcd service'] },
    { comment: 'All files, with a value', commands: ['atomic render --set PORT=2380 ./etcd'] },
  ],
  files: [],
  exitStatuses: [],
  async run(host, { options, operands: { subject, file } }) {
    checkStorage(options.storage);
    const { renderSubject } = await import('../../containers/author/render-exports.ts');
    const request = { given: await parseValueOptions(options), name: options.name, file };
    const files = await renderSubject(host, subject, request);
    return { text: file === undefined ? files.map(formatNamed).join('\n') : files.map(formatText).join('') };
  },
});

function formatNamed(file: RenderedFile): string {
  return `# ${toPrintable(file.name)}\n${formatText(file)}`;
}

function formatText({ text }: RenderedFile): string {
  return escapeText(text.endsWith('\n') ? text : `${text}\n`);
}
