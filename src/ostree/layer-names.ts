/** The meaning of names in a layer. */

/** Beginning of the name of a whiteout: the rest of the name is removed from lower layers (OCI image specification, "Whiteouts"). */
export const WHITEOUT_PREFIX = '.wh.';

/**
 * @param path in a layer, without leading slash
 * @returns the directory that holds it, the root as `''`
 */
export function findParentPath(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 0));
}
