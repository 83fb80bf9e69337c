import type { CommandSpec, HelpEntry, OperandSpec, OptionSpec } from '../arguments/command-spec.ts';
import { wrapText } from './wrap-text.ts';

const WIDTH = 80;
const INDENT = 2;
/** Names up to this length share a line with their text. */
const MAX_NAME = 26;

/** Files that every verb reads. */
export const commonFiles: readonly HelpEntry[] = [
  { name: '/etc/atomic.conf', text: 'Settings: the repository, the checkouts, the runtime, proxies.' },
  {
    name: '/var/lib/containers/atomic',
    text: 'Containers (checkouts), and by default the OSTree repository.',
  },
];

/** The exit statuses of every verb. */
export const commonExitStatuses: readonly HelpEntry[] = [
  { name: '0', text: 'Done, or there was nothing to do.' },
  {
    name: '1',
    text: 'Failed. The first line on standard error gives the reason; no change is left incomplete.',
  },
  { name: '2', text: 'The command line or a value in it is wrong, or a confirmation was refused.' },
  { name: '128+N', text: 'Ended by signal N: 130 after Ctrl-C, 143 after SIGTERM.' },
  { name: 'other', text: 'A program that atomic ran, such as systemctl, failed with this status.' },
];

/** Builds the text of `atomic VERB --help`, with a newline at its end. */
export function formatHelp(topic: string, spec: CommandSpec): string {
  const operands = Object.values(spec.operands);
  const options = Object.entries(spec.options);
  const own = options.filter(([, option]) => option.isCompatibility !== true);
  const compatibility = options.filter(([, option]) => option.isCompatibility === true);
  return joinBlocks([
    [`Usage: ${['atomic', topic, '[OPTION]...', ...operands.map(describeOperand)].join(' ')}`],
    ...spec.description.map((paragraph) => wrapText(paragraph, WIDTH)),
    formatSection(
      'Arguments:',
      operands.map(({ label, description }) => ({ name: label, text: description })),
    ),
    formatSection('Options:', [...own.map(describeOption), helpEntry]),
    formatSection('Accepted for existing scripts:', compatibility.map(describeOption)),
    formatExamples(spec),
    formatSection('Files:', joinEntries(spec.files, commonFiles)),
    formatSection('Exit status:', joinEntries(spec.exitStatuses, commonExitStatuses)),
  ]);
}

/**
 * Joins the entries of a command with the common ones. Two entries of one name become one, in the place of the common.
 */
function joinEntries(own: readonly HelpEntry[], common: readonly HelpEntry[]): readonly HelpEntry[] {
  const isCommon = ({ name }: HelpEntry): boolean => common.some((entry) => entry.name === name);
  return [
    ...own.filter((entry) => !isCommon(entry)),
    ...common.map(({ name, text }) => {
      const texts = own.filter((entry) => entry.name === name).map((entry) => entry.text);
      return { name, text: [text, ...texts].join(' ') };
    }),
  ];
}

/** Builds a list with a title; empty without entries. */
export function formatSection(title: string, entries: readonly HelpEntry[]): string[] {
  if (entries.length === 0) return [];
  const fitting = entries.filter(({ name }) => name.length <= MAX_NAME);
  const column = INDENT + Math.max(0, ...fitting.map(({ name }) => name.length)) + 2;
  const lines = entries.flatMap(({ name, text }) => {
    const [first = '', ...more] = wrapText(text, WIDTH - column);
    const head = ' '.repeat(INDENT) + name;
    const rest = more.map((line) => ' '.repeat(column) + line);
    if (name.length > MAX_NAME) return [head, ' '.repeat(column) + first, ...rest];
    return [head.padEnd(column) + first, ...rest];
  });
  return [title, ...lines];
}

/** Joins blocks of lines with an empty line between them. Empty blocks are left out. */
export function joinBlocks(blocks: readonly (readonly string[])[]): string {
  const texts = blocks.filter((lines) => lines.length > 0).map((lines) => lines.join('\n'));
  return `${texts.join('\n\n')}\n`;
}

const helpEntry: HelpEntry = { name: '-h, --help', text: 'Print this text.' };

/** How the usage shows an operand: `[NAME]...`. */
export function describeOperand({ label, count }: OperandSpec): string {
  if (count === undefined) return label;
  if (count === 'some') return `${label}...`;
  if (count === 'after-dashes') return `[-- ${label}...]`;
  return count === 'many' ? `[${label}]...` : `[${label}]`;
}

/** An option with all its names, and its text. */
export function describeOption([name, option]: readonly [string, OptionSpec]): HelpEntry {
  const short = option.short === undefined ? '    ' : `-${option.short}, `;
  const names = [name, ...(option.aliases ?? [])].map((long) => `--${long}`).join(', ');
  const repeated = option.kind === 'list' ? ' May be repeated.' : '';
  return { name: `${short}${names}${describeValue(option)}`, text: option.description + repeated };
}

function describeValue(option: OptionSpec): string {
  if (option.kind === 'flag') return '';
  return option.kind === 'switch' ? '=true|false' : ` ${option.label}`;
}

function formatExamples({ examples }: CommandSpec): string[] {
  if (examples.length === 0) return [];
  return [
    'Examples:',
    ...examples.flatMap(({ comment, commands }) => [`# ${comment}`, ...commands].map((line) => `  ${line}`)),
  ];
}
