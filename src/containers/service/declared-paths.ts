/** Undoes `systemd-tmpfiles --create` for an operation that is undone. */
import { toPrintable } from '../../base/printable.ts';
import type { Host } from '../../host/host.ts';
import { listOtherLines } from '../../host/systemd/tmpfiles-lines.ts';
import { removeCreatedPaths } from './created-paths.ts';

export interface DeclaredPaths {
  /** The lines that systemd-tmpfiles may have carried out. */
  readonly text: string;
  /** The paths that did not exist before, outermost first. */
  readonly missing: readonly string[];
}

export const noPaths: DeclaredPaths = { text: '', missing: [] };

/** The largest number of lines that a warning shows; it counts the others. */
const maxShown = 10;

/**
 * Removes the paths that the lines have created, except paths in other tmpfiles.d files of the host. Reports the
 * changes that it cannot undo: changes of paths that existed before, and folders that now have content.
 */
export async function undoDeclaredPaths(
  host: Host,
  name: string,
  { text, missing }: DeclaredPaths,
): Promise<void> {
  const left = await removeCreatedPaths(host, undefined, missing);
  const lasting = [...listOtherLines(text, missing), ...left];
  if (lasting.length === 0) return;
  const shown = lasting
    .slice(0, maxShown)
    .map((line) => toPrintable(line))
    .join('; ');
  const more = lasting.length > maxShown ? `; and ${lasting.length - maxShown} more` : '';
  host.report({
    kind: 'warning',
    text: `What systemd-tmpfiles did for ${name} is not undone for paths that existed before: ${shown}${more}`,
  });
}
