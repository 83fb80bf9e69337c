import { AtomicError } from '../../../base/errors.ts';
import { toPrintable } from '../../../base/printable.ts';

/** The numbers on x86, ARM, POWER and S/390. */
const numbers: Readonly<Record<string, number>> = {
  ...{ HUP: 1, INT: 2, QUIT: 3, ILL: 4, TRAP: 5, ABRT: 6, IOT: 6, BUS: 7, FPE: 8, KILL: 9, USR1: 10 },
  ...{ SEGV: 11, USR2: 12, PIPE: 13, ALRM: 14, TERM: 15, STKFLT: 16, CHLD: 17, CLD: 17, CONT: 18 },
  ...{ STOP: 19, TSTP: 20, TTIN: 21, TTOU: 22, URG: 23, XCPU: 24, XFSZ: 25, VTALRM: 26, PROF: 27 },
  ...{ WINCH: 28, IO: 29, POLL: 29, PWR: 30, SYS: 31 },
};
const firstRealTime = 34;
const lastRealTime = 64;
const kill = 9;
const terminate = 15;
/** What shells, runtimes and inits add to the number of the signal that ended a program. */
const endedBySignal = 128;

interface StopSignal {
  /** For `KillSignal=` of systemd: `SIGQUIT`, `SIGRTMIN+3`, `9`. */
  readonly text: string;
  readonly number: number;
}

/**
 * Parses the `StopSignal` of an image.
 *
 * @param signal a name with or without `SIG`, in any case, or a number
 * @throws CONFIG_INVALID when there is no such signal
 */
export function parseStopSignal(signal: string): StopSignal {
  const name = signal.toUpperCase().replace(/^SIG/, '');
  const named = Object.hasOwn(numbers, name) ? numbers[name] : findRealTime(name);
  if (named !== undefined) return { text: `SIG${name}`, number: named };
  const number = /^[0-9]{1,2}$/.test(name) ? Number(name) : 0;
  if (number >= 1 && number <= lastRealTime) return { text: String(number), number };
  throw new AtomicError('CONFIG_INVALID', `Cannot stop the image: no signal '${toPrintable(signal, 40)}'`, {
    hint: 'Correct STOPSIGNAL in the image, or add /exports/service.template to it.',
  });
}

/** The exit statuses of a runtime whose container a stop has ended, for `SuccessExitStatus=`. */
export function formatStopStatuses(signal: StopSignal | undefined): string {
  const signals = new Set([terminate, signal?.number ?? terminate]);
  const statuses = [...signals].map((number) => String(endedBySignal + number));
  // No runtime can pass this one on: it ends the runtime itself.
  return (signals.has(kill) ? [...statuses, 'SIGKILL'] : statuses).join(' ');
}

/** Whether the runtimes keep a signal to themselves: WINCH is about their terminal, URG wakes threads of Go. */
export function isKeptByRuntime({ number }: StopSignal): boolean {
  return number === numbers.WINCH || number === numbers.URG;
}

/** `RTMIN`, `RTMIN+1` to `RTMIN+30`, `RTMAX`, `RTMAX-1` to `RTMAX-30`. */
function findRealTime(name: string): number | undefined {
  const match = /^(?:RTMIN(?:\+([1-9][0-9]?))?|RTMAX(?:-([1-9][0-9]?))?)$/.exec(name);
  const distance = Number(match?.[1] ?? match?.[2] ?? 0);
  if (match === null || distance > lastRealTime - firstRealTime) return undefined;
  return name.startsWith('RTMIN') ? firstRealTime + distance : lastRealTime - distance;
}
