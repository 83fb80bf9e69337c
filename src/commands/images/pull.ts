import { formatJson } from '../../cli/output/format-json.ts';
import { parsePlatform } from '../../image/platform.ts';
import { defineCommand } from '../options/command.ts';
import { checkStorage, progressOption, storageOption } from '../options/common-options.ts';
import { parseSourceOptions, sourceOptions } from '../options/source-options.ts';

export const pull = defineCommand({
  description: [
    'Fetches an image into the OSTree repository. Each layer is stored as a branch; equal files are stored once. Only missing layers are fetched. A pull of a stored image looks for a newer version.',
    'An image is stored completely or not at all. After an interrupted pull, complete layers are not fetched again. After a transient failure, a transfer is tried again up to three times. An image that cannot fit on the disk is refused before it is fetched. Installed containers do not change.',
  ],
  operands: {
    image: {
      label: 'IMAGE',
      values: ['source'],
      description:
        '[REGISTRY[:PORT]/]NAME[:TAG] or [REGISTRY[:PORT]/]NAME@sha256:DIGEST of a registry. The default tag is latest; registries.conf completes names without a registry. Also docker:NAME[:TAG] of the Docker engine, containers-storage:NAME[:TAG] of podman, dockertar:FILE[:NAME[:TAG]] of "docker save", oci:FOLDER[:TAG], oci-archive:FILE[:TAG] and dir:FOLDER.',
    },
  },
  options: {
    as: {
      kind: 'value',
      label: 'NAME[:TAG]',
      description: 'Store the image under this name instead of the name of its source.',
    },
    platform: {
      kind: 'value',
      label: 'OS/ARCH[/VARIANT]',
      description:
        'The platform to choose from an image for several platforms. The default is the platform of this machine.',
    },
    ...sourceOptions,
    quiet: {
      kind: 'flag',
      short: 'q',
      description: 'Print only warnings and errors, and the result with --json.',
    },
    json: {
      kind: 'flag',
      description: 'Print the result as a JSON document; progress goes to standard error.',
    },
    ...progressOption,
    ...storageOption,
    type: { kind: 'value', label: 'TYPE', short: 't', isCompatibility: true, description: 'No effect.' },
  },
  examples: [
    { comment: 'Fetch the newest etcd', commands: ['atomic pull registry.example.com/etcd'] },
    { comment: 'From a registry with a port', commands: ['atomic pull 127.0.0.1:5000/gscrivano/etcd:3.4'] },
    {
      comment: 'From the local Docker engine, and from a file of "docker save"',
      commands: ['atomic pull docker:etcd', 'atomic pull dockertar:/var/tmp/etcd.tar'],
    },
    {
      comment: 'This version by its digest, with credentials from a file',
      commands: ['atomic pull --authfile /root/auth.json registry.example.com/etcd@sha256:...'],
    },
  ],
  files: [
    { name: '/etc/containers/policy.json', text: 'Which images are trusted.' },
    { name: '/etc/containers/registries.conf', text: 'Short names, mirrors, registries without TLS.' },
  ],
  exitStatuses: [],
  async run(host, { options, operands }) {
    checkStorage(options.storage);
    const source = parseSourceOptions(options);
    const { pullImage } = await import('../../store/pull/pull.ts');
    const platform = options.platform === undefined ? {} : { platform: parsePlatform(options.platform) };
    const pulled = await pullImage(host, operands.image, { ...source, ...platform }, options.as);
    if (!options.json) return { text: '' };
    const { reference, id, commit } = pulled.image;
    return {
      text: formatJson({
        schemaVersion: 1,
        image: { reference, id, commit, layers: pulled.image.layerDigests },
        fetched: pulled.fetched,
        bytes_fetched: pulled.bytesFetched,
        reused: pulled.reused,
      }),
    };
  },
});
