/** `npm run bench`: measures the lines, prints them, and keeps the results. See docs/performance.md. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createTemporaryFolder } from '../test/support/temporary.ts';
import { mountFilesystem } from './filesystem.ts';
import { groupLines, lineNames } from './lines.ts';
import { type Machine, readBusyShare } from './machine.ts';
import { type BenchOptions, parseOptions } from './options.ts';
import { BUSY_SHARE, formatReport, writeReport } from './report.ts';
import { type LineResult, writeResults } from './results.ts';
import { runSession } from './session.ts';

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
    if (!options.busy) await requireQuietMachine();
    // What is measured is what the sources say.
    execFileSync(process.execPath, ['scripts/build.ts'], { cwd: CHECKOUT, stdio: 'inherit' });
    return (await runBench(options, signal)) ? 0 : 1;
  } catch (error) {
    if (signal.aborted) return signal.reason;
    console.error(`bench: ${error instanceof Error ? error.message : error}`);
    return 1;
  }
}

async function requireQuietMachine(): Promise<void> {
  const share = await readBusyShare();
  if (share <= BUSY_SHARE) return;
  const percent = Math.round(share * 100);
  throw new Error(`other programs take ${percent} % of the processors: stop them, or add --busy`);
}

/** @returns whether every line was measured */
async function runBench(options: BenchOptions, signal: AbortSignal): Promise<boolean> {
  const commit = readCommit();
  let machine: Machine | undefined;
  const lines: LineResult[] = [];
  let failed = false;
  for (const group of groupLines(options.lines)) {
    const session = await runInFolder(options, group, signal);
    machine = session.machine;
    lines.push(...session.lines.map((line) => ({ ...line, commit })));
    failed ||= session.failed;
  }
  if (machine === undefined) return false;
  console.log(formatReport({ schemaVersion: 1, machine, lines }));
  if (options.keep) {
    writeReport(options.release, writeResults(options.release, machine, lines, lineNames));
  }
  return !failed;
}

async function runInFolder(
  { release, pairs }: BenchOptions,
  lines: readonly string[],
  signal: AbortSignal,
): ReturnType<typeof runSession> {
  await using outside = await createTemporaryFolder('bench');
  const folder = mountFilesystem(outside);
  try {
    return await runSession(folder, release, { pairs, lines }, signal);
  } finally {
    unmountBelow(outside.path);
  }
}

function unmountBelow(folder: string): void {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((path) => path.startsWith(`${folder}/`));
  if (mounts.length > 0) spawnSync('umount', mounts.reverse(), { stdio: 'inherit' });
}

/** The commit that is measured; a `+` says that the sources differ from it. */
function readCommit(): string {
  const git = (...args: string[]): string =>
    execFileSync('git', ['-C', CHECKOUT, ...args], { encoding: 'utf8' }).trim();
  const changed = git('status', '--porcelain', '--', 'src', 'bench/lines', 'package-lock.json');
  return `${git('rev-parse', '--short', 'HEAD')}${changed === '' ? '' : '+'}`;
}

/**
 * The first signal ends the host, and then everything is cleaned up; a second one ends the benchmark.
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
