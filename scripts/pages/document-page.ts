/** The pages of section 5, from the documents of `docs/`: go-md2man(1) converts them. */
import { spawnSync } from 'node:child_process';
import { foldLine, formatTitle, protectLine } from './roff.ts';
import type { PageSource } from './verb-page.ts';

/** A document and the page that it becomes. */
export interface DocumentPage {
  readonly name: string;
  readonly summary: string;
  /** The document below `docs/`. Its first line is its title. */
  readonly document: string;
}

export const documentPages: readonly DocumentPage[] = [
  { name: 'atomic.conf', summary: 'settings of atomic', document: 'configuration.md' },
  { name: 'atomic-image', summary: 'the files of an image for atomic', document: 'image-format.md' },
];

/**
 * Converts a document.
 *
 * @param markdown the document
 * @throws Error when go-md2man cannot be run or fails
 */
export function formatDocumentPage(page: DocumentPage, markdown: string, head: PageSource): string {
  const body = convert(listTables(nameLinks(markdown.replace(/^# .*\n/, ''))));
  const name = page.name.replaceAll('-', '\\-');
  return [
    formatTitle(page.name, 5, head.date, head.source),
    '.SH "NAME"',
    `${name} \\- ${page.summary}`,
    '.SH "DESCRIPTION"',
    body,
    '',
  ].join('\n');
}

/** A link into another document is only its text on paper. */
function nameLinks(markdown: string): string {
  return markdown.replace(/\[([^\]\n]+)\]\((?!https?:)[^)\n]*\)/g, '$1');
}

/** Makes a list of each table, because a table of sentences is wider than a terminal. */
function listTables(markdown: string): string {
  return markdown.replace(/^\|.*\|\n\|[-|: ]+\|\n(?:\|.*\|(?:\n|$))+/gm, (table) => {
    const [titles = [], , ...rows] = table.trim().split('\n').map(splitRow);
    const items = rows.map(
      ([term = '', ...cells]) => `${term}\n:   ${describeCells(cells, titles.slice(1))}\n`,
    );
    return `${items.join('\n')}\n`;
  });
}

/** A bar inside a cell is written `\|`. */
function splitRow(row: string): readonly string[] {
  const cells = row.slice(1, -1).split(/(?<!\\)\|/);
  return cells.map((cell) => cell.trim().replaceAll('\\|', '|'));
}

/** The first cell as it is, the others with their titles: `the value of the container. Default: none.` */
function describeCells([first = '', ...others]: readonly string[], [, ...titles]: readonly string[]): string {
  const named = others.map((cell, index) =>
    cell === '' ? '' : `${capitalize(titles[index] ?? '')}: ${cell}`,
  );
  return [first, ...named]
    .filter((text) => text !== '')
    .map((text) => text.replace(/\.$/, ''))
    .join('. ');
}

function capitalize(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

function convert(markdown: string): string {
  const { stdout, stderr, status, error } = spawnSync('go-md2man', [], { input: markdown, encoding: 'utf8' });
  if (error !== undefined || status !== 0) {
    throw new Error(`go-md2man failed: ${error?.message ?? stderr}; it is in the Debian package go-md2man`);
  }
  return tidy(stdout);
}

/**
 * Removes what mandoc(1) reports in the output of go-md2man 2.0: a second head, a font without a name, paragraphs after a
 * heading, long lines, and lines of examples that begin with a dot.
 */
function tidy(roff: string): string {
  const plain = roff
    .replace(/^\.nh\n/m, '')
    .replace(/^\.TH.*\n/m, '')
    .replaceAll('\\fB\\fC', '\\fB')
    .replaceAll('\\fC', '\\fB')
    .replace(/\n{2,}/g, '\n')
    .replace(/^(\.S[HS] .*\n)\.PP\n/gm, '$1')
    .replace(/^\.PP\n(?=\.(?:RS|SH|SS|TP|PP))/gm, '');
  let isFixed = false;
  return plain
    .trim()
    .replace(/^\.PP\n/, '')
    .split('\n')
    .flatMap((line) => {
      if (line === '.nf' || line === '.fi') isFixed = line === '.nf';
      else if (isFixed) return [protectLine(line)];
      return line.startsWith('.') ? [line] : foldLine(line);
    })
    .join('\n');
}
