import type { Report, Trace } from '../base/events.ts';
import type { Locations } from './locations.ts';
import type { Settings } from './settings.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The facts about the machine and the caller that an operation may use. `main.ts`, the only reader of `process.*`,
 * builds it once. It is the first parameter of every function that has effects.
 */
export interface Host {
  /** Environment for reading variables and for child processes. */
  readonly env: Environment;
  /** Effective ids of the caller. */
  readonly uid: number;
  readonly gid: number;
  /** Absolute path of the running program (template variable ATOMIC). */
  readonly program: string;
  /** Aborted by SIGINT, SIGTERM and SIGHUP; operations check it between steps. */
  readonly signal: AbortSignal;
  readonly report: Report;
  /** Called for every child process after its end. */
  readonly trace: Trace;
  readonly settings: Settings;
  readonly locations: Locations;
}
