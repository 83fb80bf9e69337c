import { formatStopSignal } from './stop-signal.ts';

/**
 * Builds the template of the unit for images without `service.template` (compatibility D-11).
 *
 * The runtime stays in the foreground, because with `run -d` the journal files the output under the runtime's scope
 * and `journalctl -u NAME` shows nothing of it. There is no ExecStop: systemd's own signal reaches the container
 * through the runtime, and `kill` before it would be a second one, which many programs take as "now, at once".
 *
 * State that a killed runtime left (`container with id exists`, X-32), and a container that outlived it, are removed
 * after every stop, also a failed one, and, in case that did not happen, before the start. These lines may fail
 * without harm, hence the `-`.
 *
 * `Delegate=yes` gives the ExecStopPost a cgroup of its own: `systemctl kill --signal=KILL` of systemd 257 kills the
 * service's whole cgroup, and would kill the clean-up that has just begun in it.
 *
 * 143 is what programs return that catch SIGTERM and say so: a normal stop.
 *
 * @param stopSignal of the image; SIGTERM when undefined
 * @throws CONFIG_INVALID when there is no such signal
 */
export function buildDefaultUnitTemplate(stopSignal: string | undefined): string {
  const killSignal = stopSignal === undefined ? [] : [`KillSignal=${formatStopSignal(stopSignal)}`];
  return [
    '[Unit]',
    'Description=$NAME',
    'After=network.target',
    '',
    '[Service]',
    'Type=exec',
    "ExecStartPre=-$RUNTIME delete --force '$NAME'",
    'ExecStart=$EXEC_START',
    "ExecStopPost=-$RUNTIME delete --force '$NAME'",
    'Delegate=yes',
    ...killSignal,
    'SuccessExitStatus=143',
    'Restart=on-failure',
    'WorkingDirectory=$DESTDIR',
    '',
    '[Install]',
    'WantedBy=multi-user.target',
    '',
  ].join('\n');
}
