/** Results as Markdown: for the terminal and for `docs/performance.md`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  type Comparison,
  describeDifferences,
  describeRatios,
  describeSpread,
  type Metric,
  readMetric,
  type Spread,
} from './comparison.ts';
import type { Machine } from './machine.ts';
import type { LineResult, Results } from './results.ts';

const PAGE = fileURLToPath(new URL('../docs/performance.md', import.meta.url));

/** More than this share of the processors in other programs changes the numbers. */
export const BUSY_SHARE = 0.1;

/** Replaces what is between the markers of the release in the page. */
export function writeReport(release: string, results: Results): void {
  const page = readFileSync(PAGE, 'utf8');
  const begin = `<!-- ${release}: begin; written by \`npm run bench\` -->`;
  const end = `<!-- ${release}: end -->`;
  const [start, stop] = [page.indexOf(begin), page.indexOf(end)];
  if (start === -1 || stop < start)
    throw new Error(`${PAGE}: the lines "${begin}" and "${end}" are not there`);
  const report = `${begin}\n\n${formatReport(results)}\n\n`;
  writeFileSync(PAGE, page.slice(0, start) + report + page.slice(stop));
}

export function formatReport({ machine, lines }: Results): string {
  const loads = lines.map(({ loadBefore }) => loadBefore.toFixed(1));
  const days = [...new Set(lines.map(({ measuredAt }) => measuredAt.slice(0, 10)))].sort();
  const commits = [...new Set(lines.flatMap(({ commit }) => commit ?? []))];
  const busy = lines.filter(({ busyBefore = 0 }) => busyBefore > BUSY_SHARE).map(({ name }) => name);
  const measured = `Measured on ${days.join(', ')}, commit ${commits.join(', ')}.`;
  const load = `Load of the machine before each line: ${loads.join(', ')}.`;
  const warning = `**The machine had other work before these lines: ${busy.join(', ')}.**`;
  return [
    formatTable(lines),
    formatMachine(machine),
    [measured, load, ...(busy.length === 0 ? [] : [warning])].join('\n'),
  ].join('\n\n');
}

const HEADINGS = ['what', 'against', 'atomic', 'other', 'ratio', 'CPU ratio', 'aim', 'pairs'];

function formatTable(lines: readonly LineResult[]): string {
  const rows = lines.flatMap(({ comparisons }) => comparisons.map(formatRow));
  return [HEADINGS, HEADINGS.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function formatRow(comparison: Comparison): string[] {
  const { what, against, metric, ours, other } = comparison;
  const read = readMetric(metric);
  const ratios = describeRatios(comparison, read);
  return [
    what,
    against,
    formatAmount(describeSpread(ours.map(read)).median, metric),
    formatAmount(describeSpread(other.map(read)).median, metric),
    formatRatios(ratios),
    formatCpuRatio(comparison),
    formatAim(comparison, ratios),
    String(Math.min(ours.length, other.length)),
  ];
}

/** Empty where no processor time was measured. */
function formatCpuRatio(comparison: Comparison): string {
  const ratio = describeRatios(comparison, ({ cpuMs }) => cpuMs).median;
  return comparison.metric === 'time' && Number.isFinite(ratio) ? formatNumber(ratio) : '';
}

function formatAim(comparison: Comparison, ratios: Spread): string {
  const { aim, moreMs, metric } = comparison;
  const judged = (isMet: boolean): string => (isMet ? 'met' : '**missed**');
  if (aim !== undefined) return `${aim} or less: ${judged(isWithin(judge(ratios, metric), aim))}`;
  if (moreMs === undefined) return '';
  const { median } = describeDifferences(comparison, readMetric(metric));
  return `${moreMs} ms more or less: ${judged(median <= moreMs)} (${median.toFixed(0)} ms)`;
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
