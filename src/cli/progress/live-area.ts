/** Lines at the end of a terminal, below all printed text, that are drawn repeatedly. */
interface LiveArea {
  /** Replaces the lines. */
  draw(lines: readonly string[]): void;
  /** Removes the lines, and puts the cursor at the start of the first one. */
  clear(): void;
}

/**
 * @param write writes to the terminal
 * @param height rows of the terminal; lines beyond it are left out, because the cursor cannot go back to them
 */
export function createLiveArea(write: (text: string) => void, height: () => number): LiveArea {
  let shown: readonly string[] = [];
  return {
    draw(lines) {
      const fitting = lines.slice(-Math.max(1, height() - 1));
      if (fitting.length === shown.length && fitting.every((line, index) => line === shown[index])) return;
      write(eraseLines(shown.length) + fitting.join('\n'));
      shown = fitting;
    },
    clear() {
      if (shown.length > 0) write(eraseLines(shown.length));
      shown = [];
    },
  };
}

const ESC = '\u001b';

/** The cursor is at the end of the last of `count` lines: moves it to the start of the first one and erases below. */
function eraseLines(count: number): string {
  if (count === 0) return '';
  return `\r${count > 1 ? `${ESC}[${count - 1}A` : ''}${ESC}[J`;
}
