import type { Report, Trace } from '../../base/events.ts';
import { idle, updateActivity } from './activity.ts';
import { type EventLine, formatEndedProgram, formatEvent } from './event-line.ts';
import { openProgressDisplay, type ProgressDisplay, type Screen } from './progress-display.ts';

interface Reporter {
  readonly report: Report;
  /** With `debug`, writes a line for each child process. */
  readonly trace: Trace;
  /** Ends the display and removes it from the terminal. */
  close(): void;
}

interface ReporterOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly debug: boolean;
}

/**
 * Turns events into output: answers on standard output; remarks and progress on standard error. The display is opened
 * with the first event that needs it, because the search for a terminal takes longer than most commands.
 *
 * @param options with `json` answers go to standard error, because standard output holds the document only; with `quiet`
 *   only remarks are written; with `debug` child processes are written too
 */
export function createReporter(screen: Screen, options: ReporterOptions): Reporter {
  return options.quiet ? createQuietReporter(screen, options) : createFullReporter(screen, options);
}

function createQuietReporter(screen: Screen, options: ReporterOptions): Reporter {
  return {
    report(event) {
      const line = formatEvent(event);
      if (line?.channel === 'remark') screen.writeRemark(`${line.text}\n`);
    },
    trace(program) {
      if (options.debug) screen.writeError(`${formatEndedProgram(program)}\n`);
    },
    close() {},
  };
}

function createFullReporter(screen: Screen, options: ReporterOptions): Reporter {
  let activity = idle;
  let display: ProgressDisplay | undefined;
  return {
    report(event) {
      activity = updateActivity(activity, event, screen.now());
      if (event.kind === 'layer-started' || event.kind === 'step') {
        display ??= openProgressDisplay(screen, () => activity);
      }
      const line = formatEvent(event);
      if (line !== undefined) {
        display?.clear();
        writeLine(screen, line, options.json);
      }
      display?.refresh();
    },
    trace(program) {
      if (!options.debug) return;
      display?.clear();
      screen.writeError(`${formatEndedProgram(program)}\n`);
      display?.refresh();
    },
    close() {
      display?.close();
      display = undefined;
      activity = idle;
    },
  };
}

function writeLine(screen: Screen, { channel, text }: EventLine, json: boolean): void {
  if (channel === 'remark') screen.writeRemark(`${text}\n`);
  else if (json) screen.writeError(`${text}\n`);
  else screen.writeOut(`${text}\n`);
}
