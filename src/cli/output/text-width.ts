/** The width of text on a terminal: Chinese characters and emoji take two columns, combining marks none. */

const ELLIPSIS = '...';
const ascii = /^[ -~]*$/;

/** @param text without control characters */
export function measureWidth(text: string): number {
  return ascii.test(text) ? text.length : Bun.stringWidth(text);
}

/** Shortens a text to a width. Its end, or its middle, becomes `...`. */
export function cutText(text: string, width: number, place: 'middle' | 'end'): string {
  if (measureWidth(text) <= width) return text;
  const room = Math.max(0, width - ELLIPSIS.length);
  const tail = place === 'end' ? 0 : Math.ceil(room / 2);
  const characters = splitCharacters(text);
  const end = takeWidth(characters.toReversed(), tail).toReversed();
  return `${takeWidth(characters, room - tail).join('')}${ELLIPSIS}${end.join('')}`;
}

/** Breaks a text at its blanks into lines; a longer word is broken anywhere. */
export function foldText(text: string, width: number): readonly string[] {
  return wrapText(text, width).flatMap((line) => {
    const lines: string[] = [];
    let rest = splitCharacters(line);
    while (measureWidth(rest.join('')) > width && rest.length > 1) {
      // A character that is wider than the line stands alone.
      const count = Math.max(1, takeWidth(rest, width).length);
      lines.push(rest.slice(0, count).join(''));
      rest = rest.slice(count);
    }
    return [...lines, rest.join('')];
  });
}

/**
 * Breaks text into lines at its blanks. A word longer than the width gets its own line.
 *
 * @param width the widest line
 */
export function wrapText(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line !== undefined && measureWidth(line) + 1 + measureWidth(word) <= width)
      lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** A person copies a command, which must stay on one line. */
const COMMAND = /\b(?:atomic|systemctl|journalctl|skopeo|runc|crun|podman|apt|dnf) /;
/** A blank that does not break. */
const JOINER = '\u00a0';
const INDENT = '  ';

/**
 * Breaks the long lines of messages at their blanks, and indents what follows. What is in backticks stays together; a line
 * with another command stays whole.
 *
 * @param width `undefined` for any
 */
export function foldMessage(text: string, width: number | undefined): string {
  if (width === undefined) return text;
  const fold = (line: string): string => {
    const joined = line.replace(/`[^`]*`/g, (quoted) => quoted.replaceAll(' ', JOINER));
    if (measureWidth(line) <= width || line.startsWith(' ') || COMMAND.test(joined)) return line;
    return wrapText(joined, width - INDENT.length)
      .join(`\n${INDENT}`)
      .replaceAll(JOINER, ' ');
  };
  return text.split('\n').map(fold).join('\n');
}

/** What a reader sees as one character: a letter with its marks, a family of emoji. */
function splitCharacters(text: string): readonly string[] {
  if (ascii.test(text)) return text.split('');
  return [...new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment(text)].map(
    ({ segment }) => segment,
  );
}

function takeWidth(characters: readonly string[], width: number): readonly string[] {
  let used = 0;
  const end = characters.findIndex((character) => {
    used += measureWidth(character);
    return used > width;
  });
  return end < 0 ? characters : characters.slice(0, end);
}
