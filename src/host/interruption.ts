import { AtomicError } from '../base/errors.ts';
import type { Host } from './host.ts';

/**
 * Ends an operation between two steps after SIGINT, SIGTERM or SIGHUP.
 *
 * @throws INTERRUPTED; the reason of the signal itself when `main.ts` gave one with the right exit status
 */
export function throwIfInterrupted(host: Host): void {
  if (!host.signal.aborted) return;
  const reason: unknown = host.signal.reason;
  throw reason instanceof AtomicError ? reason : new AtomicError('INTERRUPTED', 'interrupted');
}

/** The same host for work that must not stop half-way: undoing, and finishing after the commit point. */
export function shieldFromInterruption(host: Host): Host {
  return { ...host, signal: new AbortController().signal };
}
