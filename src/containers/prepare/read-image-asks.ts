/** What an image or a folder asks of the host, before it is installed: its templates, rendered with the default values. */
import { AtomicError } from '../../base/errors.ts';
import type { Host } from '../../host/host.ts';
import type { ImageConfig } from '../../image/configuration-blob.ts';
import type { StoredImage } from '../../image/image.ts';
import { listPrivileges } from '../consent/list-privileges.ts';
import { listOwnFolders } from '../consent/own-folders.ts';
import type { Privilege } from '../consent/privilege.ts';
import type { TemplateValues } from '../render/values/template.ts';
import {
  buildPreviewValues,
  describeImageSubject,
  isAboutHost,
  type Part,
  type Preview,
  previewExports,
  previewName,
} from './preview-exports.ts';
import { readExports } from './read-exports.ts';

/** What an install of an image without `--set` would ask of the host. */
export interface ImageAsks {
  /** A variable without a default value is written `$NAME`. */
  readonly privileges: readonly Privilege[];
  /** Sentences about the parts that could not be computed. */
  readonly unknown: readonly string[];
}

/**
 * Computes the privileges that an install without `--set` would ask for.
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
  const subject = describeImageSubject(host, image, imageConfig);
  try {
    const exports = readExports(subject.tree, subject.folder, subject.label);
    const set = Object.fromEntries(required.map((name) => [name, `$${name}`]));
    const values = buildPreviewValues(host, subject, exports, { name: previewName, set });
    return listPreviewAsks(await previewExports(host, subject, exports, values), values);
  } catch (error) {
    if (!(error instanceof AtomicError) || isAboutHost(error)) throw error;
    return { privileges: [], unknown: [error.message] };
  }
}

/** Computes the privileges of the parts that were rendered, and the reasons why others are unknown. */
export function listPreviewAsks(
  { config, unit, tmpfiles, hostFiles }: Preview,
  values: TemplateValues,
): ImageAsks {
  const privileges: Privilege[] = [];
  const unknown: string[] = [];
  const add = <T>(part: Part<T>, describe: (value: T) => Partial<Parameters<typeof listPrivileges>[0]>) => {
    if (part.kind === 'failed') unknown.push(part.error.message);
    if (part.kind !== 'rendered') return;
    try {
      privileges.push(
        ...listPrivileges({
          ...{ config: undefined, units: [], tmpfiles: undefined, hostFiles: [] },
          ...describe(part.value),
          ...{ folder: String(values.DESTDIR), runtime: String(values.RUNTIME) },
          ownFolders: listOwnFolders(String(values.NAME), { values, foreignFolders: [], volumes: [] }),
        }),
      );
    } catch (error) {
      if (!(error instanceof AtomicError)) throw error;
      unknown.push(error.message);
    }
  };
  add(config, (text) => ({ config: text }));
  add(unit, (text) => ({ units: [text] }));
  add(tmpfiles, (text) => ({ tmpfiles: text }));
  add(hostFiles, (files) => ({ hostFiles: files }));
  return { privileges, unknown };
}
