import { type Activity, describeActivity, formatActivity } from './activity.ts';
import { createLiveArea } from './live-area.ts';

/** The outputs of the program, and its clock. */
export interface Screen {
  writeOut(text: string): void;
  writeError(text: string): void;
  /** Writes lines to standard error; on a terminal, long ones are broken at their blanks. */
  writeRemark(text: string): void;
  /** @returns the terminal of standard error; `undefined` when it is no terminal, or a terminal cannot be drawn on */
  findTerminal(): Terminal | undefined;
  /** Milliseconds. */
  now(): number;
  /** Repeats a call until the returned function is called; must not keep the program alive. */
  repeat(milliseconds: number, call: () => void): () => void;
}

/** The terminal of standard error. Its size may change at any time. */
export interface Terminal {
  columns(): number;
  rows(): number;
}

/** Shows the work in progress until it is closed. */
export interface ProgressDisplay {
  /** Removes the display, so that a line can be printed. */
  clear(): void;
  /** Draws the display again, unless the last drawing was less than an interval ago. */
  refresh(): void;
  close(): void;
}

/** Milliseconds. Eight drawings in a second look smooth and need little of a serial line. */
const DRAW_INTERVAL = 125;
/** Milliseconds between two lines of a log about work that lasts. */
const LOG_INTERVAL = 10_000;

/** Opens bars on a terminal, or else a log with a line every ten seconds. */
export function openProgressDisplay(screen: Screen, read: () => Activity): ProgressDisplay {
  const terminal = screen.findTerminal();
  return terminal === undefined ? openLog(screen, read) : openBars(screen, terminal, read);
}

function openLog(screen: Screen, read: () => Activity): ProgressDisplay {
  const stop = screen.repeat(LOG_INTERVAL, () => {
    const lines = describeActivity(read(), screen.now(), LOG_INTERVAL);
    for (const line of lines) screen.writeError(`${line}\n`);
  });
  return { clear() {}, refresh() {}, close: stop };
}

function openBars(screen: Screen, terminal: Terminal, read: () => Activity): ProgressDisplay {
  const area = createLiveArea(screen.writeError, terminal.rows);
  let drawnAt = Number.NEGATIVE_INFINITY;
  const draw = (): void => {
    drawnAt = screen.now();
    // The last column stays free, because some terminals wrap after a character there.
    area.draw(formatActivity(read(), drawnAt, terminal.columns() - 1));
  };
  const stop = screen.repeat(DRAW_INTERVAL, draw);
  return {
    clear() {
      area.clear();
      drawnAt = Number.NEGATIVE_INFINITY;
    },
    refresh() {
      // Timers do not run while the program is busy; then the events move the bars.
      if (screen.now() - drawnAt >= DRAW_INTERVAL) draw();
    },
    close() {
      stop();
      area.clear();
    },
  };
}
