/** What this program is. */
import { version } from '../../package.json';

/** Set by `scripts/build.ts`; not there when the sources are run. */
declare const ATOMIC_COMMIT: string | undefined;

export const release = {
  version,
  /** The commit that it was built from, with `-dirty` when files were changed; `unknown` without git. */
  commit: typeof ATOMIC_COMMIT === 'string' ? ATOMIC_COMMIT : 'unknown',
} as const;

/** Formats `atomic --version`. */
export function formatVersion(): string {
  return `atomic ${release.version}\ncommit ${release.commit}\n`;
}
