import { AtomicError } from '../base/errors.ts';
import type { Host } from './host.ts';

/**
 * Ends an operation between two steps after SIGINT, SIGTERM or SIGHUP.
 *
 * @throws INTERRUPTED; the reason of the abort signal when `main.ts` gave one, with the exit status of the signal
 */
export function throwIfInterrupted(host: Host): void {
  if (!host.signal.aborted) return;
  const reason: unknown = host.signal.reason;
  throw reason instanceof AtomicError ? reason : new AtomicError('INTERRUPTED', 'interrupted');
}

/** Copies a host for work that an interruption must not stop: undoing, and finishing after the commit point. */
export function shieldFromInterruption(host: Host): Host {
  return { ...host, signal: new AbortController().signal };
}
