import { formatStopStatuses, isKeptByRuntime, parseStopSignal } from './stop-signal.ts';

/**
 * Builds the template of the unit for images without `service.template` (compatibility D-11).
 *
 * The runtime stays in the foreground, because with `run -d` the journal files the output under the runtime's scope and
 * `journalctl -u NAME` shows nothing of it. There is no ExecStop: the signal of systemd reaches the container through
 * the runtime. A `kill` before it would be a second signal, on which many programs end at once. Only a signal that the runtime
 * keeps to itself needs it; that of systemd then has no effect.
 *
 * The `delete` line removes the state of a killed runtime (`container with id exists`, X-32) and a container that still runs
 * without its runtime, after every stop, also after a failed one. It may fail without harm, hence the `-`. There is no such line
 * before the start, because it would start a program for nothing at nearly every start, even to look for the state. A state that
 * is there although the line was not run makes one start fail; the line then removes it, and `Restart=` starts the service again.
 *
 * `Delegate=yes` gives the ExecStopPost a cgroup of its own: `systemctl kill --signal=KILL` of systemd 257 kills the
 * service's whole cgroup, and would kill the clean-up that has just begun in it.
 *
 * The runtime returns 128 and the number of the signal for a program that the stop signal has ended. A program may also
 * handle that signal or SIGTERM and return this status itself: a normal stop.
 *
 * `docker stop` and `podman stop` wait for 10 seconds, too. A service that fails at once fails five times in about twenty
 * seconds, and then stays `failed`.
 *
 * @param stopSignal of the image; SIGTERM when undefined
 * @throws CONFIG_INVALID when there is no such signal
 */
export function buildDefaultUnitTemplate(stopSignal: string | undefined): string {
  return formatUnit(stopSignal, ["ExecStopPost=-$RUNTIME delete --force '$NAME'", 'Delegate=yes']);
}

/**
 * Builds the default unit as a `service.template`: without the lines that every template gets (`unit.ts`).
 *
 * @param stopSignal of the image; SIGTERM when undefined
 * @throws CONFIG_INVALID when there is no such signal
 */
export function buildUnitToChange(stopSignal: string | undefined): string {
  return formatUnit(stopSignal, []);
}

function formatUnit(stopSignal: string | undefined, cleanup: readonly string[]): string {
  const signal = stopSignal === undefined ? undefined : parseStopSignal(stopSignal);
  return [
    '[Unit]',
    'Description=$NAME',
    'After=network.target',
    'StartLimitIntervalSec=60s',
    '',
    '[Service]',
    'Type=exec',
    'ExecStart=$EXEC_START',
    ...cleanup,
    ...(signal !== undefined && isKeptByRuntime(signal)
      ? [`ExecStop=-$RUNTIME kill '$NAME' ${signal.number}`]
      : []),
    ...(signal === undefined ? [] : [`KillSignal=${signal.text}`]),
    'TimeoutStopSec=10s',
    `SuccessExitStatus=${formatStopStatuses(signal)}`,
    'Restart=on-failure',
    'RestartSec=5s',
    'WorkingDirectory=$DESTDIR',
    '',
    '[Install]',
    'WantedBy=multi-user.target',
    '',
  ].join('\n');
}
