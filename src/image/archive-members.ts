/**
 * The members of an archive of `docker save` that make up one of its images. Docker before 25 writes a layer of several
 * images once; in the folders of the other images it is a symlink, `ID/layer.tar -> ../ID/layer.tar`.
 */
import { dirname, join, normalize } from 'node:path/posix';
import { isJsonObject, parseJson } from '../base/json-text.ts';

/** Cleaned paths in the archive. */
export interface ArchiveMembers {
  readonly config: string;
  /** Base first; a symlink is replaced by its target. */
  readonly layers: readonly string[];
}

/**
 * Follows symlinks that stand for layers, one step each, as skopeo and Docker do.
 *
 * @param manifest `manifest.json` of the archive, which `parseArchiveIndex` has accepted
 * @param index position of the image in it
 * @param links targets of the archive's symlinks by their cleaned paths
 * @returns `undefined` when no layer is a symlink
 */
export function followLayerLinks(
  manifest: string,
  index: number,
  links: ReadonlyMap<string, string>,
): ArchiveMembers | undefined {
  if (links.size === 0) return undefined;
  const images: unknown = parseJson(manifest);
  const image: unknown = Array.isArray(images) ? images[index] : undefined;
  if (!isJsonObject(image)) return undefined;
  const { Config: config, Layers: layers } = image;
  if (typeof config !== 'string' || !Array.isArray(layers)) return undefined;
  const paths = layers.map((layer: unknown) => (typeof layer === 'string' ? cleanMemberPath(layer) : ''));
  if (!paths.some((path) => links.has(path))) return undefined;
  return { config: cleanMemberPath(config), layers: paths.map((path) => followLink(path, links)) };
}

/** The result is only compared with names in the archive: a path that leads out of it matches no member. */
function followLink(path: string, links: ReadonlyMap<string, string>): string {
  const target = links.get(path);
  if (target === undefined) return path;
  return target.startsWith('/') ? target : join(dirname(path), target);
}

/** Gives a path its one spelling: `./a//b` is `a/b`. */
export function cleanMemberPath(path: string): string {
  return normalize(path);
}
