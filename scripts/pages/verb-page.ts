/** The pages of section 1, from the same tables as `--help`. */

import type { CommandSpec, HelpEntry } from '../../src/cli/arguments/command-spec.ts';
import type { VerbEntry } from '../../src/cli/arguments/find-verb.ts';
import { describeOperand, describeOption } from '../../src/cli/help/format-help.ts';
import { program } from '../../src/cli/help/format-overview.ts';
import {
  commonExitStatuses,
  commonFiles,
  type DescribedVerb,
  environment,
  formatPageName,
  type topics,
} from '../../src/cli/help/topics.ts';
import {
  escapeCode,
  foldLine,
  formatHeading,
  formatParagraphs,
  formatTagged,
  formatText,
  formatTitle,
  formatVerbatim,
} from './roff.ts';

/** What the head of each page says. */
export interface PageSource {
  /** ISO date of the day. */
  readonly date: string;
  /** Program and version. */
  readonly source: string;
}

export function formatVerbPage({ path, summary }: VerbEntry, spec: CommandSpec, head: PageSource): string {
  const operands = Object.values(spec.operands);
  const options = Object.entries(spec.options).map(([name, option]) => ({
    entry: describeOption([name, option]),
    isOwn: option.isCompatibility !== true,
  }));
  const synopsis = ['atomic', path, '[OPTION]...', ...operands.map(describeOperand)].join(' ');
  return joinLines([
    formatTitle(formatPageName(path), 1, head.date, head.source),
    ...formatName(formatPageName(path), summary),
    formatHeading('SYNOPSIS'),
    `\\fB${escapeCode(synopsis)}\\fR`,
    formatHeading('DESCRIPTION'),
    ...formatParagraphs(spec.description),
    ...formatEntries(
      'ARGUMENTS',
      operands.map(({ label, description }) => ({ name: label, text: description })),
    ),
    ...formatEntries('OPTIONS', [
      ...options.filter(({ isOwn }) => isOwn).map(({ entry }) => entry),
      { name: '-h, --help', text: 'Print a short text.' },
    ]),
    ...formatEntries(
      'OPTIONS FOR EXISTING SCRIPTS',
      options.filter(({ isOwn }) => !isOwn).map(({ entry }) => entry),
    ),
    ...formatExamples(spec),
    ...formatEntries('FILES', spec.files),
    ...formatEntries('EXIT STATUS', spec.exitStatuses, 'Beside those of \\fBatomic\\-exit\\-status\\fR(7):'),
    formatHeading('SEE ALSO'),
    '\\fBatomic\\fR(1), \\fBatomic.conf\\fR(5), \\fBatomic\\-image\\fR(5)',
  ]);
}

/** The page of the program, which names the pages of all verbs. */
export function formatProgramPage(verbs: readonly VerbEntry[], head: PageSource): string {
  return joinLines([
    formatTitle('atomic', 1, head.date, head.source),
    ...formatName('atomic', 'Manage system containers.'),
    formatHeading('SYNOPSIS'),
    `\\fB${escapeCode('atomic [--debug] [-y] VERB [OPTION]... [ARGUMENT]...')}\\fR`,
    formatHeading('DESCRIPTION'),
    ...formatParagraphs([program.description]),
    formatHeading('VERBS'),
    ...verbs.flatMap(({ path, summary: text }) => [
      '.TP',
      `\\fB${escapeCode(formatPageName(path))}\\fR(1)`,
      ...formatText(text),
    ]),
    ...formatEntries('OPTIONS BEFORE THE VERB', program.options),
    ...formatEntries('ENVIRONMENT', environment),
    ...formatEntries('FILES', commonFiles),
    ...formatEntries('EXIT STATUS', commonExitStatuses),
    formatHeading('SEE ALSO'),
    '\\fBatomic\\-exit\\-status\\fR(7), \\fBatomic\\-files\\fR(7), \\fBatomic.conf\\fR(5), \\fBatomic\\-image\\fR(5), \\fBskopeo\\fR(1), \\fBostree\\fR(1), \\fBrunc\\fR(8), \\fBcrun\\fR(1), \\fBsystemctl\\fR(1)',
  ]);
}

/** The page of a topic of `atomic help`. */
export function formatTopicPage(
  topic: (typeof topics)[number],
  verbs: readonly DescribedVerb[],
  head: PageSource,
): string {
  const name = formatPageName(topic.name);
  return joinLines([
    formatTitle(name, 7, head.date, head.source),
    ...formatName(name, topic.summary),
    ...topic.sections(verbs).flatMap(({ title, entries }) => formatEntries(title.toUpperCase(), entries)),
    formatHeading('SEE ALSO'),
    '\\fBatomic\\fR(1)',
  ]);
}

function formatName(name: string, summary: string): readonly string[] {
  const text = summary.charAt(0).toLowerCase() + summary.slice(1).replace(/\.$/, '');
  return [formatHeading('NAME'), ...foldLine(`${escapeCode(name)} \\- ${text}`)];
}

function formatEntries(title: string, entries: readonly HelpEntry[], before?: string): readonly string[] {
  if (entries.length === 0) return [];
  const tagged = entries.flatMap(({ name, text }) => formatTagged(name.trim(), text));
  return [formatHeading(title), ...(before === undefined ? [] : [before]), ...tagged];
}

function formatExamples({ examples }: CommandSpec): readonly string[] {
  if (examples.length === 0) return [];
  return [
    formatHeading('EXAMPLES'),
    ...examples.flatMap(({ comment, commands }, index) => [
      ...(index === 0 ? [] : ['.PP']),
      ...formatText(`${comment}:`),
      ...formatVerbatim(commands),
    ]),
  ];
}

function joinLines(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`;
}
