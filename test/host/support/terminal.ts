/** A program on a pseudo terminal, and its final screen. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface TerminalRun {
  /** Everything written to the terminal so far, with its control sequences. */
  written(): string;
  /** Presses keys; `\u0003` is Ctrl-C. */
  type(keys: string): void;
  /** The status of the program, when it has ended. */
  readonly ended: Promise<number>;
}

/** Runs a shell command on a terminal of 100 columns and 24 rows (script(1) of util-linux). */
export function runOnTerminal(shellCommand: string, terminal = 'xterm'): TerminalRun {
  const sized = `stty cols 100 rows 24; ${shellCommand}`;
  const child = spawn('script', ['--quiet', '--return', '--command', sized, '/dev/null'], {
    env: { ...process.env, TERM: terminal, SHELL: '/bin/sh' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = once(child, 'close').then(([status]) => {
    child.stdin.destroy();
    return Number(status);
  });
  return {
    written: () => Buffer.concat(chunks).toString(),
    type: (keys) => child.stdin.write(keys),
    ended,
  };
}

/**
 * The lines on the screen after all of `written`, without empty ones at the end. Knows what our progress bars use:
 * carriage return, newline, cursor up, erase below.
 *
 * @throws Error for any other control sequence
 */
export function renderScreen(written: string): string[] {
  const lines: string[] = [''];
  let row = 0;
  let column = 0;
  for (const [piece, up] of written.matchAll(/\u001b\[(\d*)A|\u001b\[J|[\s\S]/g)) {
    if (piece === '\r') column = 0;
    else if (piece === '\n') row++;
    else if (up !== undefined) row -= Number(up || 1);
    else if (piece === '\u001b[J') lines.splice(row, lines.length, (lines[row] ?? '').slice(0, column));
    else if (piece < ' ') throw new Error(`unknown control character in ${JSON.stringify(written)}`);
    else {
      const line = (lines[row] ?? '').padEnd(column);
      lines[row] = `${line.slice(0, column)}${piece}${line.slice(column + 1)}`;
      column++;
    }
  }
  const last = lines.findLastIndex((line) => line !== '');
  return Array.from({ length: last + 1 }, (_, index) => lines[index] ?? '');
}
