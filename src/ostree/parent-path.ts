/** @param path in a layer, without leading slash; @returns the directory it is in, the root as `''` */
export function findParentPath(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 0));
}
