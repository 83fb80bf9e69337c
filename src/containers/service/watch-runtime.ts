/**
 * Ends runtimes whose container has ended before it was ready.
 *
 * In a service of `Type=notify`, runc waits for the message of the container even after the container has ended, and
 * ignores SIGTERM meanwhile. systemd would wait for the start timeout and then for the stop timeout, three minutes by
 * default. A container that runs without being ready does not get the signal of a stop either: it is passed on.
 */
import { basename } from 'node:path';
import type { Host } from '../../host/host.ts';
import { captureProgram } from '../../host/run-program.ts';
import { readContainerStatus } from '../../host/runtime/runtime.ts';
import { showProperties } from '../../host/systemd/systemctl.ts';
import { readContainer } from '../read-container.ts';

const pollMilliseconds = 500;
/** Before the service is ready, and after SIGTERM. */
const waitingStates = ['start', 'start-post', 'stop-sigterm'];
/** A runtime that has not ended so long after its container does not end by itself. */
const graceMilliseconds = 1000;

/** A service of a container. */
interface Watched {
  readonly name: string;
  /** Absolute path of the OCI runtime. */
  readonly runtime: string;
}

export interface WatchedRun<Result> {
  readonly result: Result;
  /** The services whose runtime was killed, because their containers had ended. */
  readonly ended: readonly string[];
}

/**
 * Watches services while a program starts or stops them. It kills the runtime of a container that has ended, so that
 * the program ends too.
 *
 * @param units with their types; units that are not services of containers are not watched
 */
export async function withRuntimeWatch<Result>(
  host: Host,
  units: readonly string[],
  run: () => Promise<Result>,
): Promise<WatchedRun<Result>> {
  const end = new AbortController();
  const ended = new Set<string>();
  const [result, watch] = await Promise.allSettled([
    run().finally(() => end.abort()),
    watchRuntimes({ host, ended, end: end.signal }, units),
  ]);
  if (result.status === 'rejected') throw result.reason;
  // The program has ended, so the watch is not needed any more.
  if (watch.status === 'rejected') host.report({ kind: 'warning', text: String(watch.reason) });
  return { result: result.value, ended: [...ended] };
}

interface Watch {
  readonly host: Host;
  readonly ended: Set<string>;
  readonly end: AbortSignal;
}

async function watchRuntimes({ host, ended, end }: Watch, units: readonly string[]): Promise<void> {
  const endedAt = new Map<string, number>();
  const told = new Set<string>();
  let services: readonly Watched[] | undefined;
  while (await pause(end)) {
    services ??= await listServices(host, units);
    for (const { name, runtime, unheard } of await listWaiting(host, services)) {
      const status = await readContainerStatus(host, runtime, name);
      if (status === 'running' && unheard !== undefined && !told.has(name)) {
        told.add(name);
        // It fails only when the container has ended meanwhile.
        await captureProgram(host, [runtime, 'kill', name, unheard]);
      }
      if (status !== 'stopped') {
        endedAt.delete(name);
        continue;
      }
      const since = endedAt.get(name) ?? performance.now();
      endedAt.set(name, since);
      if (performance.now() - since < graceMilliseconds) continue;
      // Otherwise it has ended because it was told to.
      if (!told.has(name)) ended.add(`${name}.service`);
      // It fails only when the service has ended meanwhile.
      await captureProgram(host, ['systemctl', 'kill', '--signal=KILL', `${name}.service`]);
    }
  }
}

/** @returns whether the watch goes on */
async function pause(end: AbortSignal): Promise<boolean> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, pollMilliseconds);
    end.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
    if (end.aborted) resolve();
  });
  return !end.aborted;
}

async function listServices(host: Host, units: readonly string[]): Promise<readonly Watched[]> {
  const services: Watched[] = [];
  for (const unit of units) {
    if (!unit.endsWith('.service')) continue;
    const name = unit.slice(0, -'.service'.length);
    const state = await readContainer(host, name);
    if (state.kind !== 'installed' || !state.record.hasContainerService) continue;
    services.push({ name, runtime: state.record.runtime });
  }
  return services;
}

interface Waiting extends Watched {
  /** The signal of a stop that the runtime does not pass on; undefined without one. */
  readonly unheard: string | undefined;
}

/** Lists the services whose runtime may wait for a message: those that start or stop. */
async function listWaiting(host: Host, services: readonly Watched[]): Promise<readonly Waiting[]> {
  const blocks = await showProperties(
    host,
    ['Type', 'SubState', 'KillSignal', 'ActiveEnterTimestampMonotonic', 'InactiveExitTimestampMonotonic'],
    services.map(({ name }) => `${name}.service`),
  );
  return services.flatMap((service, index) => {
    const read = (property: string) => blocks[index]?.get(property) ?? '';
    if (!read('Type').startsWith('notify') || !waitingStates.includes(read('SubState'))) return [];
    const wasReady =
      Number(read('ActiveEnterTimestampMonotonic')) >= Number(read('InactiveExitTimestampMonotonic'));
    const isUnheard =
      read('SubState') === 'stop-sigterm' && !wasReady && basename(service.runtime).startsWith('runc');
    return [{ ...service, unheard: isUnheard ? read('KillSignal') : undefined }];
  });
}
