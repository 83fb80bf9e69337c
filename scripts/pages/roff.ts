/** Writes man(7) macros. Each builder returns lines without their newline. */
import { wrapText } from '../../src/cli/output/text-width.ts';

/** Longer lines are hard to compare, and mandoc(1) reports them. */
const WIDTH = 80;

/** Writes a paragraph. A hyphen stays a hyphen; `escapeCode` is for what people type. */
export function formatText(text: string): readonly string[] {
  return foldLine(text.replaceAll('\\', '\\e'));
}

/** Breaks a line of roff into several. */
export function foldLine(line: string): readonly string[] {
  return wrapText(line, WIDTH).map(protectLine);
}

/** Escapes a command, an option or a path: its hyphens can be copied from the page. */
export function escapeCode(text: string): string {
  return protectLine(text.replaceAll('\\', '\\e').replaceAll('-', '\\-'));
}

/** A line that begins with a dot or an apostrophe would be a request. */
export function protectLine(line: string): string {
  return /^[.']/.test(line) ? `\\&${line}` : line;
}

/** @param date ISO date of the day */
export function formatTitle(name: string, section: number, date: string, source: string): string {
  return `.TH ${quote(name.toUpperCase())} ${section} ${quote(date)} ${quote(source)}`;
}

export function formatHeading(title: string): string {
  return `.SH ${quote(title)}`;
}

/** An entry with a tag in bold and a text beside it. */
export function formatTagged(tag: string, text: string): readonly string[] {
  return ['.TP', `\\fB${escapeCode(tag)}\\fR`, ...formatText(text)];
}

/** Lines that are shown as they are. */
export function formatVerbatim(lines: readonly string[]): readonly string[] {
  return ['.RS 4', '.nf', ...lines.map(escapeCode), '.fi', '.RE'];
}

/** Paragraphs: the first follows its heading directly. */
export function formatParagraphs(paragraphs: readonly string[]): readonly string[] {
  return paragraphs.flatMap((text, index) => [...(index === 0 ? [] : ['.PP']), ...formatText(text)]);
}

function quote(word: string): string {
  return `"${word.replaceAll('\\', '\\e').replaceAll('"', '\\(dq')}"`;
}
