import { AtomicError } from '../../base/errors.ts';
import { formatJson } from '../../cli/output/format-json.ts';
import type { InstallRequest } from '../../containers/container.ts';
import { changeOptions, noOptions } from '../../containers/render/options/service-options.ts';
import type { Host } from '../../host/host.ts';
import type { SourceOptions } from '../../image/image.ts';
import { defineCommand } from '../options/command.ts';
import {
  checkStorage,
  checkSystemPackage,
  progressOption,
  storageOption,
} from '../options/common-options.ts';
import { argsOperand, readServiceOptions, serviceOptions } from '../options/service-options.ts';
import { parseSourceOptions, sourceOptions } from '../options/source-options.ts';
import { parseSecrets, parseValueOptions, secretOption, valueOptions } from '../options/value-options.ts';
import { finishInstall } from './finish-install.ts';
import { buildInstallJson } from './install-json.ts';
import { formatInstallPlan, formatPlannedFile, formatReplaced } from './plan-text.ts';
import { formatAlreadyPresent } from './present-text.ts';

export const install = defineCommand({
  description: [
    'Installs an image as a system container: its files as hard links to the OSTree repository, an OCI configuration, a systemd unit and a tmpfiles.d file, made from the templates in /exports of the image, or from defaults if the image has none. The service is enabled, and started only with --start.',
    'A missing image is pulled first. If a container of that name exists, nothing changes. An install that fails or is interrupted leaves nothing on the host.',
  ],
  operands: {
    image: {
      label: 'IMAGE',
      values: ['source'],
      description: "As for 'atomic pull': a name in a registry, docker:NAME, dockertar:FILE and so on.",
    },
    args: argsOperand,
  },
  options: {
    name: {
      kind: 'value',
      label: 'NAME',
      values: [],
      short: 'n',
      description:
        'Name of the container and its service. By default the last part of the image name, and -TAG unless the tag is latest.',
    },
    ...valueOptions,
    ...secretOption,
    ...serviceOptions,
    runtime: { kind: 'value', label: 'PATH', description: 'The OCI runtime, such as /usr/bin/crun.' },
    'keep-new': {
      kind: 'flag',
      description:
        'When the host already has a file P that the image also contains, write the file of the image to P.atomic-new.',
    },
    pull: {
      kind: 'flag',
      description:
        'Fetch the image again, also when it is stored. A source that is a file is always read again.',
    },
    replace: {
      kind: 'flag',
      description:
        'Replace a container of that name, as an update does: its values and data stay, its units run again, and a failure leaves the old one.',
    },
    'no-lint': {
      kind: 'flag',
      description:
        "Install also what would not start: the errors that 'atomic lint' explains become warnings. What is unsafe stays refused.",
    },
    start: { kind: 'flag', description: "Start the service too, as 'atomic start' does." },
    display: {
      kind: 'optional',
      label: 'FILE',
      values: [],
      choices: ['config.json', 'service', 'tmpfiles'],
      description:
        'Print every file that would be written and every command that would run; change nothing. With FILE, print only this file: config.json, service, tmpfiles, or its path.',
    },
    ...sourceOptions,
    json: {
      kind: 'flag',
      description: 'Print the result as a JSON document; progress goes to standard error.',
    },
    ...progressOption,
    system: { kind: 'flag', isCompatibility: true, description: 'A system container; the only kind.' },
    rootfs: {
      kind: 'value',
      label: 'PATH',
      isCompatibility: true,
      description: 'Refused: remote root filesystems are not supported yet.',
    },
    'system-package': {
      kind: 'value',
      label: 'auto|no',
      isCompatibility: true,
      description: 'Accepted for scripts; no rpm is built. Other values are refused.',
    },
    ...storageOption,
  },
  examples: [
    {
      comment: 'Install and start etcd',
      commands: ['atomic install --system --start registry.example.com/etcd'],
    },
    {
      comment: 'With another name and endpoint',
      commands: [
        'atomic install --system --name net --set ETCD_ENDPOINTS=http://10.0.0.1:2379 registry.example.com/flannel',
      ],
    },
    {
      comment: 'Show what would be done',
      commands: ['atomic install --system --display registry.example.com/etcd'],
    },
    {
      comment: 'The unit, with the patches and options of this host',
      commands: ['atomic install --system --display=service registry.example.com/etcd'],
    },
  ],
  files: [
    { name: '/etc/systemd/system', text: 'NAME.service, the generated unit.' },
    { name: '/etc/tmpfiles.d', text: 'NAME.conf, the generated tmpfiles.d file.' },
  ],
  exitStatuses: [],
  async run(host, { options, operands }) {
    checkStorage(options.storage);
    checkSystemPackage(options['system-package']);
    refuseRemoteRoot(options.rootfs);
    const source = parseSourceOptions(options);
    const request = {
      image: operands.image,
      ...(await parseValueOptions(options)),
      secrets: parseSecrets(options),
      options: changeOptions(noOptions, {
        set: await readServiceOptions(options, operands.args),
        reset: [],
      }),
      keepsNew: options['keep-new'],
      skipsLint: options['no-lint'],
      pulls: options.pull,
      ...(options.name === undefined ? {} : { name: options.name }),
      ...(options.runtime === undefined ? {} : { runtime: options.runtime }),
    };
    const result = await runInstall(host, request, source, options);
    const started = await finishInstall(host, result, options);
    if (options.json) return { text: formatJson({ ...buildInstallJson(result), started }) };
    if (result.kind === 'already-present') return { text: formatAlreadyPresent(result) };
    if (result.kind === 'replaced') return { text: formatReplaced(result.plan) };
    if (result.kind !== 'planned') return { text: '' };
    return {
      text: options.display
        ? formatPlannedFile(result.plan, options.display)
        : formatInstallPlan(result.plan),
    };
  },
});

async function runInstall(
  host: Host,
  request: InstallRequest,
  source: SourceOptions,
  { display, replace }: { readonly display: string | undefined; readonly replace: boolean },
) {
  if (replace) {
    const { replaceContainer } = await import('../../containers/author/replace.ts');
    return replaceContainer(host, request, source, display !== undefined);
  }
  const { installContainer, planInstall } = await import('../../containers/install/install.ts');
  return display === undefined ? installContainer(host, request, source) : planInstall(host, request, source);
}

function refuseRemoteRoot(rootfs: string | undefined): void {
  if (rootfs === undefined) return;
  throw new AtomicError('BAD_VALUE', '--rootfs: remote root filesystems are not supported yet', {
    hint: 'Leave --rootfs out; the files of the image are shared with the repository anyway.',
  });
}
