/** Results as Markdown: for the terminal and for `docs/performance.md`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  type Comparison,
  describeRatios,
  describeSpread,
  type Metric,
  readMetric,
  type Spread,
} from './comparison.ts';
import type { Machine } from './machine.ts';
import type { LineResult, Results } from './results.ts';

const PAGE = fileURLToPath(new URL('../docs/performance.md', import.meta.url));
const BEGIN = '<!-- results: begin; written by `npm run bench` -->';
const END = '<!-- results: end -->';

/** Replaces the text between the markers of the page. */
export function writeReport(results: Results): void {
  const page = readFileSync(PAGE, 'utf8');
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin === -1 || end < begin)
    throw new Error(`${PAGE}: the lines "${BEGIN}" and "${END}" are not there`);
  const report = `${BEGIN}\n\n${formatReport(results)}\n\n`;
  writeFileSync(PAGE, page.slice(0, begin) + report + page.slice(end));
}

export function formatReport({ machine, lines }: Results): string {
  const loads = lines.map(({ loadBefore }) => loadBefore.toFixed(1));
  const days = [...new Set(lines.map(({ measuredAt }) => measuredAt.slice(0, 10)))].sort();
  return [
    formatTable(lines),
    formatMachine(machine),
    `Measured on ${days.join(', ')}. Load of the machine before each line: ${loads.join(', ')}.`,
  ].join('\n\n');
}

const HEADINGS = ['what', 'against', 'atomic', 'other', 'ratio', 'CPU ratio', 'aim', 'pairs'];

function formatTable(lines: readonly LineResult[]): string {
  const rows = lines.flatMap(({ comparisons }) => comparisons.map(formatRow));
  return [HEADINGS, HEADINGS.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function formatRow(comparison: Comparison): string[] {
  const { what, against, aim, metric, ours, other } = comparison;
  const read = readMetric(metric);
  const ratios = describeRatios(comparison, read);
  return [
    what,
    against,
    formatAmount(describeSpread(ours.map(read)).median, metric),
    formatAmount(describeSpread(other.map(read)).median, metric),
    formatRatios(ratios),
    metric === 'time' ? formatNumber(describeRatios(comparison, ({ cpuMs }) => cpuMs).median) : '',
    aim === undefined ? '' : `${aim} or less: ${isWithin(judge(ratios, metric), aim) ? 'met' : '**missed**'}`,
    String(Math.min(ours.length, other.length)),
  ];
}

/** The disk shall suffice at any point; times and memory differ from run to run. */
function judge({ median, most }: Spread, metric: Metric): number {
  return metric === 'disk' ? most : median;
}

/** As the table shows it: 1.004 is 1.00. */
function isWithin(ratio: number, aim: number): boolean {
  return Number(formatNumber(ratio)) <= aim;
}

function formatRatios({ median, least, most }: Spread): string {
  return `**${formatNumber(median)}** (${formatNumber(least)} to ${formatNumber(most)})`;
}

function formatAmount(value: number, metric: Metric): string {
  if (metric !== 'time') return `${Math.round(value / 1e6)} MB`;
  return value >= 1000 ? `${(value / 1000).toFixed(2)} s` : `${value.toFixed(value < 10 ? 1 : 0)} ms`;
}

function formatNumber(ratio: number): string {
  return ratio.toFixed(2);
}

function formatMachine({ cores, cpu, memoryBytes, kernel, system, filesystem, versions }: Machine): string {
  const programs = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    `- machine: ${cores} cores of ${cpu}, ${Math.round(memoryBytes / 2 ** 30)} GiB of memory`,
    `- system: ${system}, Linux ${kernel}; the stores are on ${filesystem}`,
    `- programs: ${programs.join(', ')}`,
  ].join('\n');
}
