import { toPrintable } from '../../base/printable.ts';
import { defineCommand } from '../options/command.ts';
import { checkStorage, storageOption } from '../options/common-options.ts';

export const init = defineCommand({
  description: [
    "Writes the files of /exports to the folder 'exports' in DIR, as a start for an image: config.json.template, service.template, tmpfiles.template and manifest.json. They are the default configuration and unit without what install takes from a host: its init, its seccomp filter, and files such as /etc/hosts. No existing file is replaced.",
  ],
  operands: {
    dir: {
      label: 'DIR',
      description: 'The folder of the image, such as that of its Dockerfile. It is created when missing.',
    },
  },
  options: {
    from: {
      kind: 'value',
      label: 'IMAGE',
      description:
        'A stored image, whose command, user, environment and signal the files have. Without it, the command is a shell that waits.',
    },
    ...storageOption,
  },
  examples: [
    {
      comment: 'Templates for an image of nginx',
      commands: ['atomic init --from docker.io/library/nginx nginx'],
    },
  ],
  files: [],
  exitStatuses: [],
  async run(host, { options, operands: { dir } }) {
    checkStorage(options.storage);
    const { initExports } = await import('../../containers/author/init-exports.ts');
    const files = await initExports(host, dir, options.from);
    return { text: files.map((path) => `Created ${toPrintable(path)}\n`).join('') };
  },
});
