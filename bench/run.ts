/** `npm run bench`: measures the lines, prints them as they come, and keeps the results. See docs/performance.md. */
import { execFileSync } from 'node:child_process';
import { loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { createBench } from './bench.ts';
import { lineNames, measureLine } from './lines.ts';
import { readMachine } from './machine.ts';
import { type BenchOptions, parseOptions } from './options.ts';
import { formatReport, writeReport } from './report.ts';
import { type LineResult, writeResults } from './results.ts';

const CHECKOUT = fileURLToPath(new URL('..', import.meta.url));

process.exit(await main(process.argv.slice(2)));

async function main(args: readonly string[]): Promise<number> {
  const signal = listenToSignals();
  try {
    const options = parseOptions(args);
    if ('help' in options) {
      console.log(options.help);
      return 0;
    }
    if (process.geteuid?.() !== 0) throw new Error('must run as root, to keep file owners and boot a host');
    // The benchmark builds the program first, so that it measures the sources.
    execFileSync(process.execPath, ['scripts/build.ts'], { cwd: CHECKOUT, stdio: 'inherit' });
    await runBench(options, signal);
    return 0;
  } catch (error) {
    if (signal.aborted) return signal.reason;
    console.error(`bench: ${error instanceof Error ? error.message : error}`);
    return 1;
  }
}

async function runBench(options: BenchOptions, signal: AbortSignal): Promise<void> {
  await using bench = await createBench(options.pairs, signal);
  const machine = readMachine(bench.folder.path);
  const lines: LineResult[] = [];
  for (const name of options.lines) {
    const started = performance.now();
    const head = { name, measuredAt: new Date().toISOString(), loadBefore: loadavg()[0] ?? 0 };
    lines.push({ ...head, comparisons: await measureLine(name, bench) });
    console.error(`${name}: ${((performance.now() - started) / 1000).toFixed(0)} s`);
  }
  console.log(formatReport({ schemaVersion: 1, machine, lines }));
  if (options.keep) writeReport(writeResults(machine, lines, lineNames));
}

/**
 * The first signal ends the program that runs, and then everything is cleaned up; a second one ends the benchmark.
 *
 * @returns aborted with the exit status as its reason
 */
function listenToSignals(): AbortSignal {
  const controller = new AbortController();
  for (const [name, number] of Object.entries({ SIGHUP: 1, SIGINT: 2, SIGTERM: 15 })) {
    process.once(name, () => controller.abort(128 + number));
  }
  return controller.signal;
}
