import { AtomicError } from '../../../base/errors.ts';
import { toPrintable } from '../../../base/printable.ts';

const names = new Set(
  (
    'HUP INT QUIT ILL TRAP ABRT IOT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CLD CONT STOP TSTP TTIN ' +
    'TTOU URG XCPU XFSZ VTALRM PROF WINCH IO POLL PWR SYS'
  ).split(' '),
);

/**
 * Formats the `StopSignal` of an image for `KillSignal=` of systemd: `SIGQUIT`, `SIGRTMIN+3`, `9`.
 *
 * @param signal a name with or without `SIG`, in any case, or a number
 * @throws CONFIG_INVALID when there is no such signal
 */
export function formatStopSignal(signal: string): string {
  const name = signal.toUpperCase().replace(/^SIG/, '');
  if (names.has(name) || isRealTimeName(name)) return `SIG${name}`;
  if (/^[0-9]{1,2}$/.test(name) && Number(name) >= 1 && Number(name) <= 64) return String(Number(name));
  throw new AtomicError('CONFIG_INVALID', `Cannot stop the image: no signal '${toPrintable(signal, 40)}'`, {
    hint: 'Correct STOPSIGNAL in the image, or add /exports/service.template to it.',
  });
}

/** `RTMIN`, `RTMIN+1` to `RTMIN+30`, `RTMAX`, `RTMAX-1` to `RTMAX-30`. */
function isRealTimeName(name: string): boolean {
  const match = /^(?:RTMIN(?:\+([1-9][0-9]?))?|RTMAX(?:-([1-9][0-9]?))?)$/.exec(name);
  return match !== null && Number(match[1] ?? match[2] ?? 0) <= 30;
}
