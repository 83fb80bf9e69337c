import { AtomicError } from '../../base/errors.ts';
import { formatArgv } from '../../base/format-argv.ts';
import { formatJson } from '../../cli/output/format-json.ts';
import type { Host } from '../../host/host.ts';
import type { SourceOptions } from '../../image/image.ts';
import { defineCommand, type Output } from '../options/command.ts';
import { checkStorage, storageOption } from '../options/common-options.ts';
import { parseSourceOptions, sourceOptions } from '../options/source-options.ts';

export const imagesVerify = defineCommand({
  description: [
    'Reads every object of an image and compares its checksum, which covers content, owner, mode and extended attributes. Then it compares the files of the containers of the image. An object that several images share is read once. Without IMAGE all images are verified.',
    'A line names each problem, with its paths in the image, its layer and the containers that use it. The last line is a summary. Additional files of a container are also named; they do not count as damage.',
    'With --repair, the command replaces damaged objects. It takes a sound copy from a container if there is one; otherwise it fetches the layers with damage from the source of the image. It replaces each damaged file of a container by one rename; a running service keeps the old file open until it is restarted. Damage that cannot be repaired stays.',
    'With --remote alone, the command reads no object. It asks the registry which image the name refers to now.',
  ],
  operands: {
    image: {
      label: 'IMAGE',
      count: 'many',
      description: "A name, as 'atomic images list' shows it, or the beginning of an id.",
    },
  },
  options: {
    all: { kind: 'flag', short: 'a', description: 'All images; the default.' },
    repair: { kind: 'flag', description: 'Replace damaged objects and files.' },
    remote: {
      kind: 'flag',
      description: 'Show whether the name refers to another image in the registry now.',
    },
    json: {
      kind: 'flag',
      description: 'Print the result as a JSON document; progress goes to standard error.',
    },
    ...sourceOptions,
    ...storageOption,
    'no-validate': { kind: 'flag', isCompatibility: true, description: 'No effect.' },
    verbose: { kind: 'flag', short: 'v', isCompatibility: true, description: 'No effect.' },
  },
  examples: [
    { comment: 'Everything', commands: ['atomic images verify'] },
    { comment: 'Repair one image and its containers', commands: ['atomic images verify --repair etcd'] },
    { comment: 'Which images have a newer version', commands: ['atomic images verify --remote'] },
  ],
  files: [],
  exitStatuses: [
    {
      name: '1',
      text: 'Also when something is damaged, or when a registry could not be asked, with --remote.',
    },
  ],
  async run(host, { options, operands }) {
    checkStorage(options.storage);
    if (options.all && operands.image.length > 0) {
      throw new AtomicError('BAD_OPTION', 'Invalid arguments: --all takes no IMAGE', {
        hint: 'Leave out --all or IMAGE.',
      });
    }
    const source = withoutTls(parseSourceOptions(options), operands.image);
    const parts: ReportPart[] = [];
    if (options.repair) parts.push(await runRepair(host, operands.image, source));
    else if (!options.remote) parts.push(await runVerify(host, operands.image));
    if (options.remote) parts.push(await runRemote(host, operands.image, source));
    return buildOutput(parts, options.json);
  },
});

/** With `http:` before all names, registries are asked without TLS. Otherwise the prefix has no effect on the store. */
function withoutTls(source: SourceOptions, images: readonly string[]): SourceOptions {
  const areInsecure = images.length > 0 && images.every((image) => image.startsWith('http:'));
  return areInsecure ? { ...source, tlsVerify: false } : source;
}

/** The result of a verification, a repair, or requests to registries. */
interface ReportPart {
  readonly text: string;
  /** The members of the JSON document. */
  readonly json: object;
  readonly isGood: boolean;
}

function buildOutput(parts: readonly ReportPart[], json: boolean): Output {
  const document = Object.assign({ schemaVersion: 1 }, ...parts.map((part) => part.json));
  return {
    text: json ? formatJson(document) : parts.map(({ text }) => text).join(''),
    exitStatus: parts.every(({ isGood }) => isGood) ? 0 : 1,
  };
}

async function runVerify(host: Host, images: readonly string[]): Promise<ReportPart> {
  const [
    { verifyImages },
    { isSound },
    { formatUnreadable, formatVerified },
    { buildUnreadableJson, buildVerifiedJson },
  ] = await Promise.all([
    import('../../containers/verify/verify-images.ts'),
    import('../../image/verified-image.ts'),
    import('./verify-text.ts'),
    import('./verify-json.ts'),
  ]);
  const { images: verified, unreadable } = await verifyImages(host, images);
  const areSound = verified.every(isSound);
  // The command repeats the words of the person: an image that only a container uses has no name.
  const repair = formatArgv(['atomic', 'images', 'verify', '--repair', ...images]);
  const hint = areSound ? '' : `To repair: ${repair}\n`;
  return {
    text: verified.map(formatVerified).join('') + hint + formatUnreadable(unreadable),
    json: {
      images: verified.map(buildVerifiedJson),
      unreadable_containers: unreadable.map(buildUnreadableJson),
    },
    isGood: areSound && unreadable.length === 0,
  };
}

async function runRepair(host: Host, images: readonly string[], source: SourceOptions): Promise<ReportPart> {
  const [
    { repairImages },
    { isSound },
    { formatRemountHint, formatRepair, formatRestartHint, formatUnreadable },
    { buildRepairJson, buildUnreadableJson },
  ] = await Promise.all([
    import('../../containers/verify/repair-images.ts'),
    import('../../image/verified-image.ts'),
    import('./verify-text.ts'),
    import('./verify-json.ts'),
  ]);
  const { repairs, unreadable, staleMounts } = await repairImages(host, images, source);
  return {
    text: [
      ...repairs.map(formatRepair),
      formatRestartHint(repairs),
      formatRemountHint(staleMounts),
      formatUnreadable(unreadable),
    ].join(''),
    json: {
      images: repairs.map(buildRepairJson),
      unreadable_containers: unreadable.map(buildUnreadableJson),
      stale_mounts: staleMounts.map(({ name, directory }) => ({ name, directory })),
    },
    isGood: repairs.every(({ after }) => isSound(after)) && unreadable.length === 0,
  };
}

async function runRemote(host: Host, images: readonly string[], source: SourceOptions): Promise<ReportPart> {
  const [{ compareWithRegistries }, { formatRemote }, { buildRemoteJson }] = await Promise.all([
    import('../../store/verify/compare-remote.ts'),
    import('./verify-text.ts'),
    import('./verify-json.ts'),
  ]);
  const compared = await compareWithRegistries(host, images, source);
  return {
    text: compared.map(({ reference, status }) => formatRemote(reference, status)).join(''),
    json: {
      remote: compared.map(({ reference, id, status }) => ({
        reference,
        id: id ?? null,
        ...buildRemoteJson(status),
      })),
    },
    isGood: compared.every(({ status }) => status.kind !== 'unknown'),
  };
}
