/** Lists the files for the host in `/exports/hostfs` of an image or of a folder, without a look at the host. */
import { readFileSync } from 'node:fs';
import { AtomicError } from '../../base/errors.ts';
import { toPrintable } from '../../base/printable.ts';
import type { WalkedEntry } from '../../store/walk-image.ts';
import type { HostFileMode } from '../consent/host-file-privileges.ts';
import type { ExportsManifest } from '../render/exports-manifest.ts';
import {
  normalizeRenames,
  renameHostPath,
  requirePlainPath,
  substituteRenames,
} from '../render/hostfiles/rename-host-files.ts';
import type { TemplateValues } from '../render/values/template.ts';

/** The folder in an image. */
export const HOST_FILES = 'exports/hostfs';
/** The limit is far above real images, whose plugins and wrappers are a few dozen files. */
const maxEntries = 1024;
/** Each folder on the way to a file is opened again and again. The deepest paths of a Debian host have 12 folders. */
const maxDepth = 64;
const maxTotalBytes = 1024 * 1024 * 1024;
const maxTemplateBytes = 4 * 1024 * 1024;

export interface HostFileSource {
  /** How errors call the image or the folder. */
  readonly label: string;
  readonly walk: () => Iterable<WalkedEntry>;
}

/** @throws EXPORTS_INVALID beyond the limits */
export function* listHostEntries({ label, walk }: HostFileSource): Generator<WalkedEntry> {
  let count = 0;
  let bytes = 0;
  for (const entry of walk()) {
    count += 1;
    bytes += entry.size;
    const isTooDeep = entry.path.split('/').length > maxDepth;
    if (isTooDeep) throw buildExcess(label, `a path of more than ${maxDepth} parts`);
    if (count > maxEntries) throw buildExcess(label, `more than ${maxEntries} files and folders`);
    if (bytes > maxTotalBytes) throw buildExcess(label, `more than ${maxTotalBytes} bytes`);
    yield entry;
  }
}

/** @throws EXPORTS_INVALID, TEMPLATE_INVALID, TEMPLATE_UNSET_VARIABLE */
export function listHostFileModes(
  source: HostFileSource,
  manifest: ExportsManifest,
  values: TemplateValues,
): readonly HostFileMode[] {
  const renames = normalizeRenames(substituteRenames(manifest.renameFiles, values));
  return [...listHostEntries(source)]
    .filter(({ kind, isEmpty }) => kind !== 'directory' || isEmpty)
    .map(({ path, kind, mode }) => ({
      path: renameHostPath(requirePlainPath(`/${path}`), renames),
      ...{ kind, mode },
    }));
}

interface HostTemplate {
  readonly text: string;
  /** Its path on the host, after the renames. */
  readonly path: string;
}

/**
 * The host files that are templates.
 *
 * @throws EXPORTS_INVALID, TEMPLATE_INVALID, TEMPLATE_UNSET_VARIABLE
 */
export function listHostFileTemplates(
  source: HostFileSource,
  manifest: ExportsManifest,
  values: TemplateValues,
): readonly HostTemplate[] {
  if (manifest.installedFilesTemplate.length === 0) return [];
  const renames = normalizeRenames(substituteRenames(manifest.renameFiles, values));
  return [...listHostEntries(source)].flatMap(({ path: plain, object, size }) => {
    const path = renameHostPath(requirePlainPath(`/${plain}`), renames);
    if (object === undefined || !manifest.installedFilesTemplate.includes(path)) return [];
    return [{ path, text: readHostTemplate(object, size, path) }];
  });
}

/** @param file how errors call it */
export function readHostTemplate(object: string, size: number, file: string): string {
  const reject = (problem: string, cause?: unknown) =>
    new AtomicError('EXPORTS_INVALID', `Cannot read the template file '${file}': ${problem}`, {
      cause,
      hint: 'Correct the file, or take it out of installedFilesTemplate, and build the image again.',
    });
  if (size > maxTemplateBytes) throw reject(`${size} bytes are more than ${maxTemplateBytes}`);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readFileSync(object));
  } catch (error) {
    throw reject('it is not UTF-8 text', error);
  }
}

function buildExcess(label: string, excess: string): AtomicError {
  return new AtomicError(
    'EXPORTS_INVALID',
    `Cannot install ${toPrintable(label)}: it has ${excess} for the host in /exports/hostfs`,
    {
      hint: 'Build the image with fewer of them: files that only the service needs belong in its root filesystem.',
    },
  );
}
