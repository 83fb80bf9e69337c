/**
 * The members of an archive of `docker save` that one of its images consists of. Docker before 25 writes a layer that
 * several images have once; in the folders of the others it is a symlink, `ID/layer.tar -> ../ID/layer.tar`.
 */
import { dirname, join, normalize } from 'node:path/posix';
import { isJsonObject, parseJson } from '../base/json-text.ts';

/** Cleaned paths in the archive. */
export interface ArchiveMembers {
  readonly config: string;
  /** Base first; what was a symlink is its target. */
  readonly layers: readonly string[];
}

/**
 * Follows the symlinks in the place of layers, one step each, as skopeo and Docker do.
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

/** Only compared with names in the archive, so that a path that leads out of it is the name of nothing. */
function followLink(path: string, links: ReadonlyMap<string, string>): string {
  const target = links.get(path);
  if (target === undefined) return path;
  return target.startsWith('/') ? target : join(dirname(path), target);
}

/** One spelling for a path: `./a//b` is `a/b`. */
export function cleanMemberPath(path: string): string {
  return normalize(path);
}
