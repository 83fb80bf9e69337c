/** Whether systemd can stop a service with the unit of another version of it. */
import { listUnitSettings } from './unit-lines.ts';

/** Settings of `[Service]` that determine how systemd stops a service, and which of its processes systemd watches. */
const stopKeys = new Set([
  ...['Type', 'PIDFile', 'ExecStop', 'ExecStopPost', 'KillMode', 'KillSignal', 'RestartKillSignal'],
  ...['SendSIGHUP', 'SendSIGKILL', 'FinalKillSignal', 'TimeoutStopSec', 'TimeoutSec', 'TimeoutAbortSec'],
  ...['User', 'Group', 'Delegate', 'Slice', 'RemainAfterExit', 'NotifyAccess', 'RootDirectory'],
]);

/**
 * Compares how two units stop their service. Commands in the folders of two deployments differ.
 */
export function stopsAlike(first: string, second: string): boolean {
  const list = (unit: string): string =>
    listUnitSettings(unit)
      .filter(({ section, key }) => section === 'Service' && stopKeys.has(key))
      .map(({ key, value }) => `${key}=${value}`)
      .join('\n');
  return list(first) === list(second);
}
