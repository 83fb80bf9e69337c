/** What `systemd-tmpfiles --create` did for an operation that is taken back. */
import { toPrintable } from '../../base/printable.ts';
import type { Host } from '../../host/host.ts';
import { listOtherLines } from '../../host/systemd/tmpfiles-lines.ts';
import { removeCreatedPaths } from './created-paths.ts';

export interface DeclaredPaths {
  /** The lines that may have been carried out. */
  readonly text: string;
  /** The paths that were not there before, outermost first. */
  readonly missing: readonly string[];
}

export const noPaths: DeclaredPaths = { text: '', missing: [] };

/** More lines than this are counted and not shown. */
const maxShown = 10;

/**
 * Removes what the lines have created, except what a tmpfiles.d file of the host names. Says what it cannot take back: what
 * lines have done to paths that were there before, and what has got content.
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
