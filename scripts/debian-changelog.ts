/**
 * Prints CHANGELOG.md in the form of debian/changelog, for apt-listchanges and for `apt changelog`. A version that is not
 * released has the date of `SOURCE_DATE_EPOCH`, and the distribution UNRELEASED.
 *
 *   SOURCE_DATE_EPOCH=SECONDS debian-changelog.ts PACKAGE 'NAME <EMAIL>'
 */
import { readFileSync } from 'node:fs';

/** debian-policy allows 80 columns. */
const WIDTH = 79;

const [packageName = '', maintainer = ''] = process.argv.slice(2);
const built = new Date(Number(process.env.SOURCE_DATE_EPOCH) * 1000);
const markdown = readFileSync(new URL('../CHANGELOG.md', import.meta.url), 'utf8');
const [, ...versions] = markdown.split(/^## /m);
process.stdout.write(versions.map(formatVersion).join('\n'));

/** @param text `2.1.0 (2027-01-31)` or `2.1.0 (not released)`, and the lines below */
function formatVersion(text: string): string {
  const [, version, state = ''] = /^(\S+) \((.*)\)$/m.exec(text) ?? [];
  if (version === undefined) throw new Error(`CHANGELOG.md: not "VERSION (DATE)": ${text.slice(0, 60)}`);
  const date = state === 'not released' ? built : new Date(`${state}T12:00:00Z`);
  const distribution = state === 'not released' ? 'UNRELEASED' : 'unstable';
  return [
    `${packageName} (${version}) ${distribution}; urgency=medium`,
    ...splitBlocks(text).map(formatBlock),
    ` -- ${maintainer}  ${date.toUTCString().replace('GMT', '+0000')}\n`,
  ].join('\n\n');
}

/** Headings, paragraphs and items, each in one line. */
function splitBlocks(text: string): string[] {
  const body = text.slice(text.indexOf('\n'));
  return body
    .split(/\n\s*\n|\n(?=- |#)/)
    .map((block) => block.replaceAll(/\s+/g, ' ').trim())
    .filter((block) => block !== '');
}

function formatBlock(block: string): string {
  const text = block.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1');
  const heading = /^#+ (.*)$/.exec(text)?.[1];
  if (heading !== undefined) return `  [ ${heading} ]`;
  return text.startsWith('- ') ? wrap(`* ${text.slice(2)}`, '  ', '    ') : wrap(text, '  ', '  ');
}

function wrap(text: string, first: string, next: string): string {
  const lines: string[] = [];
  let line = first;
  let isEmpty = true;
  for (const word of text.split(' ')) {
    if (!isEmpty && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = next;
      isEmpty = true;
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, line].join('\n');
}
