import type { Host } from '../../host/host.ts';
import type { StoredImage } from '../../image/image.ts';
import type { ImageTree } from '../../store/image-files.ts';
import { walkImage } from '../../store/walk-image.ts';
import { requireUsedNames } from '../render/values/known-variables.ts';
import { listVariables, type TemplateValues } from '../render/values/template.ts';
import { HOST_FILES, listHostFileTemplates } from './list-host-files.ts';
import { type ImageExports, readTemplates } from './read-exports.ts';

interface NamesSubject {
  readonly image: StoredImage;
  readonly tree: ImageTree;
  readonly exports: ImageExports;
  readonly values: TemplateValues;
}

/**
 * Checks that the image uses the variables that a person sets now.
 *
 * @param names of `--set`
 * @returns warnings
 * @throws BAD_VALUE for a name that the image does not use; as `planHostFiles` for host files that it could not plan
 */
export function checkSetNames(
  host: Host,
  names: readonly string[],
  { image, tree, exports: { manifest }, values }: NamesSubject,
): readonly string[] {
  const used = new Set([
    ...Object.keys(manifest.defaultValues),
    ...manifest.variables.keys(),
    ...[...readTemplates(tree), ...Object.values(manifest.renameFiles)].flatMap(listVariables),
  ]);
  const isUsed = names.every((name) => used.has(name));
  // These may be many files, and few images have them.
  const ofHostFiles = isUsed
    ? []
    : listHostFileTemplates(
        { label: image.reference, walk: () => walkImage(host, image, HOST_FILES) },
        manifest,
        values,
      ).flatMap(({ text }) => listVariables(text));
  return requireUsedNames(names, [...used, ...ofHostFiles]);
}
