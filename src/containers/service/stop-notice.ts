import { setTimeout as sleep } from 'node:timers/promises';
import { AtomicError } from '../../base/errors.ts';
import type { Host } from '../../host/host.ts';
import { showProperties } from '../../host/systemd/systemctl.ts';

/** A person who sees nothing for longer than this asks whether the program hangs. */
const delayMilliseconds = 1000;

/**
 * Runs a stop of units. When it lasts longer than a second, a line names the units and the time after which systemd kills
 * them.
 */
export async function withStopNotice<T>(
  host: Host,
  units: readonly string[],
  action: () => Promise<T>,
): Promise<T> {
  const ended = new AbortController();
  const notice = announce(host, units, ended.signal);
  try {
    return await action();
  } finally {
    ended.abort();
    await notice;
  }
}

async function announce(host: Host, units: readonly string[], ended: AbortSignal): Promise<void> {
  try {
    await sleep(delayMilliseconds, undefined, { signal: ended });
    const text = await describeStopWait(host, units);
    if (text !== undefined && !ended.aborted) host.report({ kind: 'remark', text });
  } catch (error) {
    // The line only helps the person; the action has the errors that count.
    if (!ended.aborted && !(error instanceof AtomicError)) throw error;
  }
}

/** `Waiting for etcd.service to stop; systemd kills it after 1min 30s`. */
async function describeStopWait(host: Host, units: readonly string[]): Promise<string | undefined> {
  const blocks = await showProperties(host, ['ActiveState', 'TimeoutStopUSec'], units);
  const waits = units.flatMap((unit, index) => {
    const block = blocks[index];
    if (block?.get('ActiveState') === 'inactive' || block?.get('ActiveState') === 'failed') return [];
    const timeout = block?.get('TimeoutStopUSec');
    const end = timeout === 'infinity' ? 'there is no time limit' : `systemd kills it after ${timeout}`;
    return [`${unit} to stop; ${end}`];
  });
  return waits.length === 0 ? undefined : `Waiting for ${waits.join(', and for ')}`;
}
