/** Runs programs in turn and measures each run. A slow run is a number, not a failure. */
import { execFileSync } from 'node:child_process';
import { type PeakMemory, watchMemory } from './process-memory.ts';

export interface Command {
  readonly argv: readonly string[];
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
}

/** One run of one program. */
export interface Sample {
  /** From the start of the process until its end was seen. */
  readonly wallMs: number;
  /** User and system time of the process and of the children that it waited for. */
  readonly cpuMs: number;
  /** The time of the `sync` after the run, in which the kernel writes the data that the program has left in memory. */
  readonly syncMs?: number;
  readonly memory?: PeakMemory;
  /** The size of the store after the run; then no time was measured. */
  readonly diskBytes?: number;
}

export interface RoundOptions {
  readonly rounds: number;
  /** One more round, numbered 0, comes first and is thrown away. Default true. */
  readonly warmUp?: boolean;
  /** Sync before each run. Default true; off for commands of milliseconds that write nothing. */
  readonly sync?: boolean;
  /** Watch the memory instead of leaving the run alone. Default false. */
  readonly memory?: boolean;
}

/** Commands of milliseconds are run so many times as often: the same time gives more pairs. */
export const SHORT_COMMAND_FACTOR = 4;

/**
 * Runs every command once a round, in turn; who is first changes from round to round. The commands get the number of
 * the round, so that each run can have folders of its own.
 *
 * @returns the samples of each command; those with the same index are of one round
 * @throws Error when a program fails, with its standard error
 */
export async function measureRounds<Name extends string>(
  commands: Readonly<Record<Name, (round: number) => Command>>,
  options: RoundOptions,
): Promise<Record<Name, Sample[]>> {
  const names = Object.keys(commands) as Name[];
  const samples = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, Sample[]>;
  const sync = options.sync ?? true;
  if (sync) runSync();
  for (let round = options.warmUp === false ? 1 : 0; round <= options.rounds; round++) {
    const first = round % names.length;
    for (const name of [...names.slice(first), ...names.slice(0, first)]) {
      const sample = await measureRun(commands[name](round), options.memory ?? false);
      const syncMs = sync ? runSync() : undefined;
      if (round > 0) samples[name].push(syncMs === undefined ? sample : { ...sample, syncMs });
    }
  }
  return samples;
}

/** Runs a command that is not measured. */
export async function run(command: Command): Promise<void> {
  await measureRun(command, false);
}

/** Bun's spawn, because Node's does not tell the CPU time of a child. */
async function measureRun({ argv, env }: Command, memory: boolean): Promise<Sample> {
  const start = performance.now();
  const child = Bun.spawn([...argv], { env: { ...env }, stdio: ['ignore', 'ignore', 'pipe'] });
  const errors = new Response(child.stderr).text();
  const watch = memory ? watchMemory(child.pid) : undefined;
  const status = await child.exited;
  const wallMs = performance.now() - start;
  const peak = watch?.stop();
  if (status !== 0) throw new Error(`${argv.join(' ')} ended with ${status}:\n${await errors}`);
  const cpuMs = Number(child.resourceUsage()?.cpuTime.total ?? 0) / 1000;
  return { wallMs, cpuMs, ...(peak === undefined ? {} : { memory: peak }) };
}

/** @returns milliseconds */
function runSync(): number {
  const start = performance.now();
  execFileSync('sync');
  return performance.now() - start;
}
