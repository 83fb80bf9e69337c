/**
 * Renders the files of `/exports` of an image or of a folder as an install without options would. A part that cannot be
 * rendered does not hide the others.
 */
import { AtomicError } from '../../base/errors.ts';
import type { Host } from '../../host/host.ts';
import { emptyImageConfig, type ImageConfig } from '../../image/configuration-blob.ts';
import type { StoredImage } from '../../image/image.ts';
import { type ImageTree, openImageTree } from '../../store/image-files.ts';
import { walkImage } from '../../store/walk-image.ts';
import type { HostFileMode } from '../consent/host-file-privileges.ts';
import { originalRuntime } from '../read-container.ts';
import { type ContainerName, parseContainerName } from '../render/container-name.ts';
import { buildSecretValues } from '../render/secrets/secret-option.ts';
import { buildTmpfiles } from '../render/tmpfiles/tmpfiles.ts';
import { buildUnit } from '../render/unit/unit.ts';
import type { TemplateValues } from '../render/values/template.ts';
import { buildInstallValues, choosesPidfileMode } from '../render/values/values.ts';
import { readConfigText } from './config-text.ts';
import { HOST_FILES, type HostFileSource, listHostFileModes } from './list-host-files.ts';
import { bringsRuntimeConfig, type ImageExports, isRunByRuntime } from './read-exports.ts';
import { readSeccomp } from './read-seccomp.ts';

/** The files that are previewed. */
export interface ExportsSubject extends HostFileSource {
  readonly tree: ImageTree;
  /** How errors call `/exports`. */
  readonly folder: string;
  /** `undefined` for a folder. */
  readonly image: { readonly id: string; readonly config: ImageConfig } | undefined;
}

/** A part of a preview; `absent` when the install would write no such file. */
export type Part<T> =
  | { readonly kind: 'rendered'; readonly value: T }
  | { readonly kind: 'failed'; readonly error: AtomicError }
  | { readonly kind: 'absent' };

export interface Preview {
  readonly config: Part<string>;
  readonly unit: Part<string>;
  /** Without the lines for missing bind sources, which depend on the host. */
  readonly tmpfiles: Part<string>;
  readonly hostFiles: Part<readonly HostFileMode[]>;
  /** Sentences of the install about the default configuration. */
  readonly warnings: readonly string[];
}

/** Stands for the name of the container, which the install chooses. */
export const previewName: ContainerName = parseContainerName('NAME');

/** CAP_CHECKPOINT_RESTORE, the last one of Linux 5.9 and later. */
const MAX_CAPABILITY = 40;

export function describeImageSubject(host: Host, image: StoredImage, config: ImageConfig): ExportsSubject {
  return {
    ...{ label: image.reference, tree: openImageTree(host, image), folder: '/exports' },
    image: { id: image.id, config },
    walk: () => walkImage(host, image, HOST_FILES),
  };
}

/** @throws STORE_CORRUPT, INTERRUPTED */
export async function previewExports(
  host: Host,
  subject: ExportsSubject,
  exports: ImageExports,
  values: TemplateValues,
): Promise<Preview> {
  const { tree, image } = subject;
  const { manifest } = exports;
  const name = String(values.NAME);
  const marker = { name, deployment: 0, checkouts: host.locations.checkouts };
  const owner = { uid: host.uid, gid: host.gid };
  const bringsConfig = bringsRuntimeConfig(exports);
  // The default configuration is made of the image.
  const hasConfig = bringsConfig || (isRunByRuntime(exports) && image !== undefined);
  const imageConfig = image?.config ?? emptyImageConfig;
  const built = await attempt(async () =>
    hasConfig
      ? readConfigText({ tree, exports, imageConfig, values }, await readSeccomp(undefined, !bringsConfig))
      : undefined,
  );
  return {
    config: built.kind === 'rendered' ? { kind: built.kind, value: built.value.text } : built,
    warnings: built.kind === 'rendered' ? built.value.warnings : [],
    unit: await attempt(async () =>
      manifest.noContainerService
        ? undefined
        : buildUnit(
            { template: exports.serviceTemplate, marker, stopSignal: imageConfig.stopSignal },
            values,
          ),
    ),
    tmpfiles: await attempt(async () =>
      buildTmpfiles({ template: exports.tmpfilesTemplate, marker, missingSources: [], ...owner }, values),
    ),
    hostFiles: await attempt(async () => listHostFileModes(subject, manifest, values)),
  };
}

async function attempt<T>(render: () => Promise<T | undefined>): Promise<Part<T>> {
  try {
    const value = await render();
    return value === undefined ? { kind: 'absent' } : { kind: 'rendered', value };
  } catch (error) {
    if (!(error instanceof AtomicError)) throw error;
    // An install fails, too, when the host's seccomp profile is invalid.
    if (isAboutHost(error) && error.code !== 'SETTINGS_INVALID') throw error;
    return { kind: 'failed', error };
  }
}

/** Whether a failure is about this machine or its store, and not about the image. */
export function isAboutHost({ category }: AtomicError): boolean {
  return category !== 'image' && category !== 'usage';
}

/** The values of a first install of the name. @param set `--set` values */
export function buildPreviewValues(
  host: Host,
  { label, image }: ExportsSubject,
  { manifest, serviceTemplate }: ImageExports,
  { name, set }: { readonly name: ContainerName; readonly set: Readonly<Record<string, string>> },
): TemplateValues {
  const facts = {
    ...{ name, deployment: `${host.locations.checkouts}/${name}.0` },
    ...{ runtime: host.settings.runtime ?? originalRuntime, runtimeSupportsSystemdCgroup: true },
    pidfileMode: choosesPidfileMode(serviceTemplate?.text, true),
    ...{ uid: host.uid, gid: host.gid, imageName: label, imageId: image?.id ?? '' },
    ...{ uuid: '$UUID', lastCapability: MAX_CAPABILITY, program: host.program },
  };
  // As if every declared secret were given.
  const given = [...manifest.variables]
    .filter(([, { isSecret }]) => isSecret)
    .map(([secret]) => [secret, '']);
  const secrets = buildSecretValues(Object.fromEntries(given), manifest.variables, {});
  return buildInstallValues(facts, set, { ...manifest.defaultValues, ...secrets });
}
