import type { CommandSpec, HelpEntry, OperandSpec, OptionSpec } from '../arguments/command-spec.ts';
import { wrapText } from '../output/text-width.ts';

const WIDTH = 80;
const INDENT = 2;
/** Names up to this length share a line with their text. */
const MAX_NAME = 26;

/**
 * Builds the text of `atomic VERB --help`, with a newline at its end: for a person who knows what the verb does.
 * It ends with the examples, which stay on the screen.
 */
export function formatHelp(topic: string, spec: CommandSpec): string {
  const [summary = ''] = spec.description;
  const others = Object.entries(spec.options).filter(([, option]) => option.isCompatibility === true);
  const names = others.map(([name]) => `--${name}`);
  return joinBlocks([
    [formatUsage(topic, spec)],
    wrapText(summary, WIDTH),
    formatOperands(spec),
    formatOptions(spec),
    names.length === 0 ? [] : wrapText(`For existing scripts: ${names.join(', ')}.`, WIDTH),
    formatExamples(spec),
    [`More: atomic help ${topic}`],
  ]);
}

/** Builds the text of `atomic help VERB`, which is complete; shown where the manual page is not installed. */
export function formatFullHelp(topic: string, spec: CommandSpec): string {
  const others = Object.entries(spec.options).filter(([, option]) => option.isCompatibility === true);
  return joinBlocks([
    [formatUsage(topic, spec)],
    ...spec.description.map((paragraph) => wrapText(paragraph, WIDTH)),
    formatOperands(spec),
    formatOptions(spec),
    formatSection('Accepted for existing scripts:', others.map(describeOption)),
    formatSection('Files:', spec.files),
    formatSection('Exit status:', spec.exitStatuses),
    formatExamples(spec),
    ['See also: atomic help files, atomic help exit-status'],
  ]);
}

function formatUsage(topic: string, { operands }: CommandSpec): string {
  return `Usage: ${['atomic', topic, '[OPTION]...', ...Object.values(operands).map(describeOperand)].join(' ')}`;
}

function formatOperands({ operands }: CommandSpec): string[] {
  const entries = Object.values(operands).map(({ label, description }) => ({
    name: label,
    text: description,
  }));
  return formatSection('Arguments:', entries);
}

function formatOptions({ options }: CommandSpec): string[] {
  const own = Object.entries(options).filter(([, option]) => option.isCompatibility !== true);
  return formatSection('Options:', [...own.map(describeOption), helpEntry]);
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
  if (option.kind === 'optional') return `[=${option.label}]`;
  return option.kind === 'switch' ? '=true|false' : ` ${option.label}`;
}

function formatExamples({ examples }: CommandSpec): string[] {
  if (examples.length === 0) return [];
  return [
    'Examples:',
    ...examples.flatMap(({ comment, commands }) =>
      [`# ${comment}`, ...commands.flatMap(foldCommand)].map((line) => `  ${line}`),
    ),
  ];
}

/** Breaks a command that is longer than a line, as a person would in a shell. An option and its value stay together. */
function foldCommand(command: string): readonly string[] {
  const joined = command.replace(/(?<= )(--?[a-z-]+) (?=[^-])/g, `$1${JOINER}`);
  const lines = wrapText(joined, WIDTH - 2 * INDENT - CONTINUED.length);
  return lines.map((line, index) => {
    const start = index === 0 ? '' : ' '.repeat(INDENT);
    const end = index === lines.length - 1 ? '' : CONTINUED;
    return `${start}${line.replaceAll(JOINER, ' ')}${end}`;
  });
}

const CONTINUED = ' \\';
/** A blank that does not break. */
const JOINER = '\u00a0';
