import { type Activity, describeActivity, formatActivity } from './activity.ts';
import { createLiveArea } from './live-area.ts';

/** Where output goes, and the clock. */
export interface Screen {
  writeOut(text: string): void;
  writeError(text: string): void;
  /** The terminal that standard error is; `undefined` when it is none, or one that cannot be drawn on. */
  findTerminal(): Terminal | undefined;
  /** Milliseconds. */
  now(): number;
  /** Calls again and again until the returned function is called; must not keep the program alive. */
  repeat(milliseconds: number, call: () => void): () => void;
}

/** Its size may change at any time. */
export interface Terminal {
  columns(): number;
  rows(): number;
}

/** Shows what goes on until it is closed. */
export interface ProgressDisplay {
  /** Takes the display away so that a line can be printed. */
  clear(): void;
  /** Shows what has changed, unless that was done a moment ago. */
  refresh(): void;
  close(): void;
}

/** Eight times a second: smooth, and light also on a serial line. */
const DRAW_INTERVAL = 125;
/** How often a log learns that something long still goes on. */
const LOG_INTERVAL = 10_000;

/** Opens bars on a terminal; elsewhere a line now and then. */
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
    // The last column stays free: a character there makes some terminals wrap.
    area.draw(formatActivity(read(), drawnAt, terminal.columns() - 1));
  };
  const stop = screen.repeat(DRAW_INTERVAL, draw);
  return {
    clear() {
      area.clear();
      drawnAt = Number.NEGATIVE_INFINITY;
    },
    refresh() {
      // Timers do not run while the program is busy; then the events keep the bars moving.
      if (screen.now() - drawnAt >= DRAW_INTERVAL) draw();
    },
    close() {
      stop();
      area.clear();
    },
  };
}
