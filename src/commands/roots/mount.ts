import { AtomicError } from '../../base/errors.ts';
import { toPrintable } from '../../base/printable.ts';
import { formatJson } from '../../cli/output/format-json.ts';
import { parseMountOptions } from '../../store/mount/mount-options.ts';
import { defineCommand } from '../options/command.ts';
import { checkStorage, storageOption } from '../options/common-options.ts';
import { buildRootJson } from './root-json.ts';

const live = {
  kind: 'flag',
  isCompatibility: true,
  description: 'Refused: OSTree has no such mounts.',
} as const;

export const mount = defineCommand({
  description: [
    'Mounts the root filesystem of an image or a container at an empty directory. The mount is read-only and stays read-only: no write can reach the image store, not even after a remount. Setuid files and devices have no effect on the host (nosuid, nodev).',
    'For a container, the mount shows the files that its service has now; a mounted container cannot be uninstalled. A mounted image can be pulled, deleted or replaced: the mount keeps its files. If a container and an image have the same name, the name means the container; add the tag to name the image. A mount ends with unmount, or when the host restarts.',
  ],
  operands: {
    subject: {
      label: 'IMAGE|CONTAINER',
      description:
        'An image (name or beginning of its id), a container, or one of its deployments: NAME.0, NAME.1.',
    },
    directory: { label: 'DIR', description: 'An empty directory.' },
  },
  options: {
    options: {
      kind: 'list',
      label: 'OPTIONS',
      short: 'o',
      description:
        'Mount options, separated by commas: noexec, noatime, nodiratime, relatime; ro, nosuid and nodev are always set. Others are refused.',
    },
    json: { kind: 'flag', description: 'Print the result as a JSON document.' },
    live,
    shared: live,
    ...storageOption,
  },
  examples: [
    {
      comment: 'Look into an image',
      commands: ['atomic mount registry.example.com/etcd:latest /mnt'],
    },
    {
      comment: 'Look into a container, without a way to run its files',
      commands: ['atomic mount -o noexec etcd /mnt'],
    },
  ],
  files: [{ name: '/var/lib/containers/atomic/.atomic/mounts', text: 'Data of mounts; unmount removes it.' }],
  exitStatuses: [],
  async run(host, { options, operands }) {
    if (options.live || options.shared) {
      throw new AtomicError(
        'BAD_VALUE',
        `Containers and images managed through OSTree do not support --${options.live ? 'live' : 'shared'}.`,
      );
    }
    checkStorage(options.storage);
    const { mountSubject } = await import('../../containers/mount.ts');
    const { root, directory } = await mountSubject(host, {
      ...operands,
      options: parseMountOptions(options.options),
    });
    if (options.json) {
      return { text: formatJson({ schemaVersion: 1, mounted: buildRootJson(root), directory }) };
    }
    return { text: `Mounted the ${root.kind} ${root.name} at ${toPrintable(directory)}\n` };
  },
});
