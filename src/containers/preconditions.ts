import { AtomicError } from '../base/errors.ts';
import type { Host } from '../host/host.ts';
import { requireSystemd } from '../host/systemd/systemctl.ts';

/**
 * Checks the conditions for every change of a system container, as the first step of an operation.
 *
 * @param verb for the message when the caller is not root; `install` has the message of compatibility N-02
 * @throws NOT_ROOT, NO_SYSTEMD
 */
export async function requireSystemAccess(host: Host, verb: string): Promise<void> {
  requireRoot(host, verb);
  await requireSystemd();
}

/** @throws NOT_ROOT */
export function requireRoot(host: Host, verb: string): void {
  if (host.uid === 0) return;
  const message =
    verb === 'install' ? 'Only root can use --system' : `Only root can ${verb} system containers`;
  throw new AtomicError('NOT_ROOT', message, { hint: 'Run the command with sudo.' });
}
