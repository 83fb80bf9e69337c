import { spawnSync } from 'node:child_process';
import type { Environment } from './host.ts';

/**
 * Shows a manual page with man(1). It runs in the foreground, because its pager reads the terminal.
 *
 * @returns whether man and the page are installed, and man showed it
 */
export function showManualPage(env: Environment, page: string): boolean {
  const found = spawnSync('man', ['-w', page], { env, encoding: 'utf8' });
  // Minimal systems have a `man` that only prints a remark.
  if (found.status !== 0 || !found.stdout.startsWith('/')) return false;
  return spawnSync('man', [page], { env, stdio: 'inherit' }).status === 0;
}
