/**
 * Stops and starts units as systemctl does: over the system bus, and where that fails with systemctl. On a busy machine,
 * every systemctl between the stop and the start of a service would add a tenth of a second to its absence.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { AtomicError } from '../../base/errors.ts';
import type { Host } from '../host.ts';
import { withReminders } from '../reminders.ts';
import { buildCommandFailed, captureProgram, captureProgramWithin, systemctlHint } from '../run-program.ts';
import { BadMessage, type Message, MessageReader } from './bus-message.ts';
import { BusFailed, SystemBus } from './system-bus.ts';
import { isActive, listUnits, readStatesOver } from './unit-state.ts';

type JobVerb = 'stop' | 'start';

const methods: Readonly<Record<JobVerb, string>> = { stop: 'StopUnit', start: 'StartUnit' };
/** Number and path of the job, unit, result. */
const jobRemoved = { name: 'JobRemoved', signature: 'uoss' };
const rule = `type='signal',sender='org.freedesktop.systemd1',path='/org/freedesktop/systemd1',member='${jobRemoved.name}'`;
/** systemctl calls these success, too. */
const successes = ['done', 'skipped'];
const failures: Readonly<Record<string, string>> = {
  failed: 'failed',
  timeout: 'took too long',
  dependency: 'was not tried, because a unit that it needs failed',
  canceled: 'was given up for another request to systemd',
};
/** The longest time that a timer can have, 24 days. */
export const maxLimit = 2 ** 31 - 1;
/** How often a job without a result is looked for: the signal is lost when systemd executes itself again. */
const lookMilliseconds = 5000;

interface Wait {
  readonly startedAt: number;
  readonly findLimit: () => Promise<number>;
}

const noLimit = async () => maxLimit;

/** A connection to systemd for jobs. It is made before the first job, so that no time passes between two of them. */
export class UnitJobs implements Disposable {
  readonly #host: Host;
  readonly #bus: SystemBus;
  readonly #subscription: Promise<unknown>;
  /** Results by the path of the job. */
  readonly #results = new Map<string, PromiseWithResolvers<string>>();

  constructor(host: Host) {
    this.#host = host;
    this.#bus = new SystemBus(host, (signal) => this.#note(signal));
    this.#subscription = Promise.all([
      this.#bus.callBus('AddMatch', [rule]),
      this.#bus.callSystemd('Subscribe', [], ''),
    ]);
    // The first job waits for it, and reports a failure.
    this.#subscription.catch(() => undefined);
  }

  [Symbol.dispose](): void {
    this.#bus[Symbol.dispose]();
  }

  /** Lists the units that run, start or stop. @throws COMMAND_FAILED, TOOL_MISSING, INTERRUPTED */
  async listActive(units: readonly string[]): Promise<readonly string[]> {
    const states = await readStatesOver(this.#host, this.#bus, units);
    return [...states].filter(([, state]) => isActive(state)).map(([unit]) => unit);
  }

  /** Lets systemd forget failures of units, and earlier starts, which count for their start limits. */
  async resetFailed(units: readonly string[]): Promise<void> {
    await this.#tryBus<unknown>(
      () => Promise.all(units.map((unit) => this.#bus.callSystemd('ResetFailedUnit', [unit], ''))),
      // It fails for a unit that systemd does not know.
      () => captureProgram(this.#host, ['systemctl', 'reset-failed', ...units]),
    );
  }

  /**
   * Stops or starts units in the order that systemd chooses, and waits for it.
   *
   * @param describeWait makes the text of a warning from the seconds that have passed
   * @param findLimit finds out how long to wait, in milliseconds; afterwards the jobs stay as they are
   * @returns the error when not all jobs succeeded; its details have `isLate` when the limit has passed
   * @throws TOOL_MISSING, INTERRUPTED
   */
  async run(
    verb: JobVerb,
    units: readonly string[],
    describeWait: (seconds: number) => string,
    findLimit: () => Promise<number> = noLimit,
  ): Promise<AtomicError | undefined> {
    const wait = { startedAt: performance.now(), findLimit };
    return withReminders(this.#host, describeWait, () =>
      this.#tryBus(
        () => this.#runOverBus(verb, units, wait),
        // systemd has perhaps received the request already: to repeat it changes nothing.
        () => runSystemctl(this.#host, [verb, ...units], wait),
      ),
    );
  }

  async #tryBus<Result>(ask: () => Promise<Result>, askSystemctl: () => Promise<Result>): Promise<Result> {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof BusFailed || error instanceof BadMessage) return askSystemctl();
      throw error;
    }
  }

  async #runOverBus(verb: JobVerb, units: readonly string[], wait: Wait): Promise<AtomicError | undefined> {
    await this.#subscription;
    const jobs = await Promise.all(units.map((unit) => this.#enqueue(methods[verb], unit)));
    const reasons: string[] = [];
    const argv = ['systemctl', verb, ...units];
    for (const [index, unit] of units.entries()) {
      const result = await this.#awaitResult(unit, jobs[index] ?? '', wait);
      if (result === undefined) return buildLate(argv, wait);
      if (!successes.includes(result)) reasons.push(`${unit} ${failures[result] ?? `ended with ${result}`}`);
    }
    if (reasons.length === 0) return undefined;
    const message = `${argv.join(' ')}: ${reasons.join(', ')}`;
    return new AtomicError('COMMAND_FAILED', message, { hint: systemctlHint, details: { argv } });
  }

  /** @returns the path of the job */
  async #enqueue(method: string, unit: string): Promise<string> {
    return new MessageReader(await this.#bus.callSystemd(method, [unit, 'replace'], 'o')).readString();
  }

  /** @returns undefined when the wait takes too long */
  async #awaitResult(unit: string, job: string, wait: Wait): Promise<string | undefined> {
    const { promise: removed } = this.#getResult(job);
    for (;;) {
      const over = new AbortController();
      const pause = sleep(lookMilliseconds, undefined, { signal: over.signal }).catch(() => undefined);
      const result = await Promise.race([removed, this.#bus.failed, pause]).finally(() => over.abort());
      if (result !== undefined) return result;
      const [listed] = await listUnits(this.#bus, [unit]);
      if (listed !== undefined && job.endsWith(`/${listed.job}`)) {
        if (performance.now() - wait.startedAt >= (await wait.findLimit())) return undefined;
        continue;
      }
      // A signal that was sent before the answer has arrived before it.
      return Promise.race([removed, Promise.reject(new BusFailed(`the end of ${job} is unknown`))]);
    }
  }

  #note({ member, signature, body }: Message): void {
    if (member !== jobRemoved.name || signature !== jobRemoved.signature) return;
    const reader = new MessageReader(body);
    reader.readNumber();
    const [job = '', , result = ''] = Array.from({ length: 3 }, () => reader.readString());
    this.#getResult(job).resolve(result);
  }

  #getResult(job: string): PromiseWithResolvers<string> {
    const result = this.#results.get(job) ?? Promise.withResolvers<string>();
    this.#results.set(job, result);
    return result;
  }
}

async function runSystemctl(
  host: Host,
  args: readonly string[],
  wait: Wait,
): Promise<AtomicError | undefined> {
  const argv = ['systemctl', ...args];
  const result = await captureProgramWithin(host, argv, await wait.findLimit());
  if (result === 'timeout') return buildLate(argv, wait);
  return result.exitCode === 0 ? undefined : buildCommandFailed(result);
}

function buildLate(argv: readonly string[], { startedAt }: Wait): AtomicError {
  const message = `${argv.join(' ')}: not done after ${Math.round((performance.now() - startedAt) / 1000)} s`;
  return new AtomicError('COMMAND_FAILED', message, {
    hint: '`systemctl list-jobs` shows what systemd waits for.',
    details: { argv, isLate: true },
  });
}
