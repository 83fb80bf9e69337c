/**
 * Formats a line for each service that a verb was asked to change.
 *
 * @param unchanged those that were in the wanted state before
 */
export function formatChange(
  names: readonly string[],
  unchanged: readonly string[],
  done: string,
  nothing: string,
): string {
  return [...new Set(names)].map((name) => `${name} ${unchanged.includes(name) ? nothing : done}\n`).join('');
}
