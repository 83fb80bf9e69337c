import { AtomicError } from '../../base/errors.ts';
import { toPrintable } from '../../base/printable.ts';
import type { ImageTree } from '../../store/image-files.ts';
import {
  type ExportsManifest,
  emptyExportsManifest,
  parseExportsManifest,
} from '../render/exports-manifest.ts';
import { usesRuntime } from '../render/unit/unit.ts';

/** The limit is far above real templates. */
const maxFileBytes = 4 * 1024 * 1024;

/** One file of `/exports`, and its name in errors. */
interface ExportedFile {
  readonly text: string;
  /** The path of the file in the new deployment. */
  readonly file: string;
}

/** The files of `/exports` that determine an install (compatibility E-01). */
export interface ImageExports {
  /** False without `/exports` (E-10). */
  readonly isPresent: boolean;
  readonly manifest: ExportsManifest;
  /** `config.json` (E-01), used as it is. */
  readonly config: ExportedFile | undefined;
  readonly configTemplate: ExportedFile | undefined;
  readonly serviceTemplate: ExportedFile | undefined;
  readonly tmpfilesTemplate: ExportedFile | undefined;
}

/**
 * Reads `/exports` of an image.
 *
 * @param folder how errors call `/exports`: its path in the future root filesystem
 * @param image image name for messages
 * @throws EXPORTS_INVALID for a broken manifest, for text that is not UTF-8, and for host files that are reached
 *   through a symlink
 */
export function readExports(tree: ImageTree, folder: string, image: string): ImageExports {
  const read = (name: string): ExportedFile | undefined => readText(tree, name, folder);
  const manifest = read('manifest.json');
  refuseLinkedHostFiles(tree, image);
  return {
    isPresent: tree.listDirectory('exports') !== undefined,
    manifest: manifest === undefined ? emptyExportsManifest : parseExportsManifest(manifest.text, image),
    config: read('config.json'),
    configTemplate: read('config.json.template'),
    serviceTemplate: read('service.template'),
    tmpfilesTemplate: read('tmpfiles.template'),
  };
}

/** The texts of all templates in `/exports`, also of those that an install does not use (compatibility M-41). */
export function readTemplates(tree: ImageTree): readonly string[] {
  return (tree.listDirectory('exports') ?? [])
    .filter((name) => name.endsWith('.template'))
    .map((name) => tree.readFile(`exports/${name}`, maxFileBytes)?.toString('utf8') ?? '');
}

/** Whether the OCI runtime runs the container of the image (compatibility E-04). */
export function isRunByRuntime({ manifest, serviceTemplate }: ImageExports): boolean {
  return !manifest.noContainerService && (serviceTemplate === undefined || usesRuntime(serviceTemplate.text));
}

/** Whether the image has a configuration of its own; otherwise atomic makes the default one. */
export function bringsRuntimeConfig({ config, configTemplate }: ImageExports): boolean {
  return (config ?? configTemplate) !== undefined;
}

function readText(tree: ImageTree, name: string, folder: string): ExportedFile | undefined {
  const content = tree.readFile(`exports/${name}`, maxFileBytes);
  if (content === undefined) return undefined;
  const file = `${folder}/${name}`;
  try {
    return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content), file };
  } catch (error) {
    throw new AtomicError(
      'EXPORTS_INVALID',
      `Cannot read the template file '${file}': it is not UTF-8 text`,
      {
        cause: error,
        hint: 'Correct the file and build the image again.',
      },
    );
  }
}

function refuseLinkedHostFiles(tree: ImageTree, image: string): void {
  const link = ['exports', 'exports/hostfs'].find((path) => tree.look(path)?.kind === 'symlink');
  if (link === undefined || tree.listDirectory('exports/hostfs') === undefined) return;
  throw new AtomicError(
    'EXPORTS_INVALID',
    `Cannot install ${toPrintable(image)}: its /exports/hostfs is reached through a symlink, /${link}`,
    { hint: 'Build the image with /exports/hostfs as a folder.' },
  );
}
