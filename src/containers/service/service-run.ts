/** One run of the service of a container, as systemd describes it. */
import type { Host } from '../../host/host.ts';
import { showProperties } from '../../host/systemd/systemctl.ts';

/** In the words of systemd. */
export interface ServiceRun {
  readonly type: string;
  readonly activeState: string;
  readonly subState: string;
  readonly result: string;
  readonly restarts: string;
  readonly mainPid: string;
  readonly invocation: string;
  /** When the start began, as journalctl(1) reads it. Empty before the first start. */
  readonly since: string;
  /** The exit status or the signal of the last main process. */
  readonly exitStatus: string;
  readonly unitFileState: string;
}

export async function readRun(host: Host, name: string): Promise<ServiceRun> {
  const [run] = await readRuns(host, [name]);
  if (run === undefined) throw new Error(`no answer for ${name}`);
  return run;
}

/** @returns the runs in the order of the names */
export function readRuns(host: Host, names: readonly string[]): Promise<readonly ServiceRun[]> {
  return readUnitRuns(
    host,
    names.map((name) => `${name}.service`),
  );
}

/** @param units with their types; what a type does not have is empty. @returns the runs in the order of the units */
export async function readUnitRuns(host: Host, units: readonly string[]): Promise<readonly ServiceRun[]> {
  const properties = [
    ...['Type', 'ActiveState', 'SubState', 'Result', 'NRestarts', 'MainPID', 'InvocationID'],
    ...['InactiveExitTimestamp', 'ExecMainStatus', 'UnitFileState'],
  ];
  const blocks = await showProperties(host, properties, units);
  return blocks.map((block) => {
    const read = (property: string) => block.get(property) ?? '';
    return {
      type: read('Type'),
      activeState: read('ActiveState'),
      subState: read('SubState'),
      result: read('Result'),
      restarts: read('NRestarts'),
      mainPid: read('MainPID'),
      invocation: read('InvocationID'),
      since: read('InactiveExitTimestamp'),
      exitStatus: read('ExecMainStatus'),
      unitFileState: read('UnitFileState'),
    };
  });
}

/** A unit of `Type=oneshot` that has ended with success is up too. */
export function isUp({ type, activeState, subState, result }: ServiceRun): boolean {
  if (activeState === 'active' || activeState === 'reloading') return true;
  return type === 'oneshot' && activeState === 'inactive' && subState === 'dead' && result === 'success';
}

/** Whether the service was not restarted in between. */
export function isSameRun(one: ServiceRun, other: ServiceRun): boolean {
  return (
    one.restarts === other.restarts && one.mainPid === other.mainPid && one.invocation === other.invocation
  );
}

export function describeRun({ activeState, subState, result, exitStatus }: ServiceRun): string {
  if (activeState === 'inactive' && result === 'success') return `it has ended with status ${exitStatus}`;
  const words = result === 'success' || result === '' ? '' : `, ${result}`;
  const status = result === 'exit-code' ? ` ${exitStatus}` : '';
  return `it is ${activeState} (${subState}${words}${status})`;
}
