/** What an image asks of the host, before it is installed: its templates, rendered with their default values. */
import { AtomicError } from '../../base/errors.ts';
import type { Host } from '../../host/host.ts';
import type { ImageConfig } from '../../image/configuration-blob.ts';
import type { StoredImage } from '../../image/image.ts';
import { type ImageTree, openImageTree } from '../../store/image-files.ts';
import { listOwnFolders, listPrivileges } from '../consent/list-privileges.ts';
import type { Privilege } from '../consent/privilege.ts';
import type { ImageAsks } from '../image-info.ts';
import { originalRuntime } from '../read-container.ts';
import { parseContainerName } from '../render/container-name.ts';
import { buildTmpfiles } from '../render/tmpfiles/tmpfiles.ts';
import { buildUnit } from '../render/unit/unit.ts';
import type { TemplateValues } from '../render/values/template.ts';
import { buildInstallValues } from '../render/values/values.ts';
import { readConfigText } from './config-text.ts';
import { type ImageExports, isRunByRuntime, readExports } from './read-exports.ts';
import { listHostFileModes } from './read-host-files.ts';

/** These are not about the image. */
const endsAll: readonly string[] = ['INTERRUPTED', 'STORE_CORRUPT'];

/** Stands for the name of the container, which the install chooses. */
const NAME = 'NAME';

/**
 * Computes the privileges that an install without `--set` would ask for. A part that cannot be rendered does not hide the
 * others.
 *
 * @param required the variables without a default value
 * @throws STORE_CORRUPT, INTERRUPTED
 */
export async function readImageAsks(
  host: Host,
  image: StoredImage,
  imageConfig: ImageConfig,
  required: readonly string[],
): Promise<ImageAsks> {
  const privileges: Privilege[] = [];
  const unknown: string[] = [];
  const add = async (list: () => Promise<readonly Privilege[]>): Promise<void> => {
    try {
      privileges.push(...(await list()));
    } catch (error) {
      if (!(error instanceof AtomicError) || endsAll.includes(error.code)) throw error;
      unknown.push(error.message);
    }
  };
  const tree = openImageTree(host, image);
  await add(async () => {
    const exports = readExports(tree, '', image.reference);
    const values = buildValues(host, image, exports, required);
    for (const part of listParts(host, { image, tree, exports, imageConfig, values })) await add(part);
    return [];
  });
  return { privileges, unknown };
}

interface AskingImage {
  readonly image: StoredImage;
  readonly tree: ImageTree;
  readonly exports: ImageExports;
  readonly imageConfig: ImageConfig;
  readonly values: TemplateValues;
}

/** The readers of the parts, each of which may fail. */
function listParts(host: Host, subject: AskingImage): readonly (() => Promise<readonly Privilege[]>)[] {
  const { image, exports, imageConfig, values } = subject;
  const none = { config: undefined, unit: undefined, tmpfiles: undefined, hostFiles: [] };
  const list = (part: Partial<Parameters<typeof listPrivileges>[0]>) =>
    listPrivileges({
      ...{ ...none, ...part, folder: String(values.DESTDIR), runtime: String(values.RUNTIME) },
      ownFolders: listOwnFolders(NAME, values),
    });
  const marker = { name: NAME, deployment: 0, checkouts: host.locations.checkouts };
  const owner = { uid: host.uid, gid: host.gid };
  const hasConfig = (exports.config ?? exports.configTemplate) !== undefined || isRunByRuntime(exports);
  return [
    async () => (hasConfig ? list({ config: await readConfigText(subject) }) : []),
    async () =>
      exports.manifest.noContainerService
        ? []
        : list({
            unit: buildUnit(
              { template: exports.serviceTemplate, marker, stopSignal: imageConfig.stopSignal },
              values,
            ),
          }),
    async () =>
      list({
        tmpfiles: buildTmpfiles(
          { template: exports.tmpfilesTemplate, marker, missingSources: [], ...owner },
          values,
        ),
      }),
    async () => list({ hostFiles: listHostFileModes(host, image, exports.manifest, values) }),
  ];
}

function buildValues(
  host: Host,
  image: StoredImage,
  { manifest }: ImageExports,
  required: readonly string[],
): TemplateValues {
  const facts = {
    ...{ name: parseContainerName(NAME), deployment: `${host.locations.checkouts}/${NAME}.0` },
    ...{ runtime: host.settings.runtime ?? originalRuntime, runtimeSupportsSystemdCgroup: false },
    ...{ pidfileMode: false, uid: host.uid, gid: host.gid, imageName: image.reference, imageId: image.id },
    ...{ uuid: '$UUID', lastCapability: MAX_CAPABILITY, program: host.program },
  };
  const placeholders = Object.fromEntries(required.map((name) => [name, `$${name}`]));
  return buildInstallValues(facts, {}, { ...placeholders, ...manifest.defaultValues });
}

/** CAP_CHECKPOINT_RESTORE, the last one of Linux 5.9 and later. */
const MAX_CAPABILITY = 40;
