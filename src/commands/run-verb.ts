import type { Report, Trace } from '../base/events.ts';
import type { GlobalOptions } from '../cli/arguments/find-verb.ts';
import { parseArguments } from '../cli/arguments/parse-arguments.ts';
import { formatHelp } from '../cli/help/format-help.ts';
import type { Display } from '../cli/output/display.ts';
import type { Screen } from '../cli/progress/progress-display.ts';
import type { ProgressStream } from '../cli/progress/progress-stream.ts';
import { createReporter } from '../cli/progress/reporter.ts';
import type { Host } from '../host/host.ts';
import { addProxyVariables } from '../host/settings.ts';
import type { Output, Person } from './options/command.ts';
import type { Verb } from './verbs.ts';

/** The process, as `main.ts` describes it. */
export interface Caller {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly uid: number;
  readonly gid: number;
  /** Absolute path of the executable. */
  readonly program: string;
  readonly signal: AbortSignal;
  readonly screen: Screen;
  /** See `Person`. */
  ask(question: string): Promise<string | undefined>;
  isPresent(): Promise<boolean>;
  findDisplay(): Display;
}

interface VerbRequest {
  readonly verb: Verb;
  readonly rest: readonly string[];
  readonly globals: GlobalOptions;
}

/** Milliseconds after a signal after which a command that still runs explains the reason. */
const INTERRUPT_NOTICE_DELAY = 1000;

/**
 * Parses the words after a verb and runs its command, or builds its help.
 *
 * @throws BAD_OPTION, and the errors of the command
 */
export async function runVerb({ verb, rest, globals }: VerbRequest, caller: Caller): Promise<Output> {
  const command = await verb.load();
  const parsed = parseArguments(verb.path, command, rest);
  if (parsed.kind === 'help') return { text: formatHelp(verb.path, command) };
  const { json, quiet, 'progress-fd': progressFd } = parsed.input.options;
  const progress = typeof progressFd === 'string' ? await openProgress(verb, progressFd, caller) : undefined;
  const reporter = createReporter(caller.screen, {
    json: json === true,
    quiet: quiet === true,
    debug: globals.debug,
  });
  const report: Report = (event) => {
    reporter.report(event);
    progress?.report(event);
  };
  announceInterruption(caller.signal, report);
  try {
    const person: Person = {
      assumeYes: globals.assumeYes,
      ask: caller.ask,
      isPresent: caller.isPresent,
      findDisplay: caller.findDisplay,
    };
    const output = await command.run(await openHost(caller, report, reporter.trace), parsed.input, person);
    progress?.end(output.exitStatus ?? 0);
    return output;
  } catch (error) {
    if (progress !== undefined) await endWithFailure(progress, error);
    throw error;
  } finally {
    reporter.close();
  }
}

async function openProgress(verb: Verb, value: string, { screen }: Caller): Promise<ProgressStream> {
  const [{ parseProgressFd }, { createProgressWriter }, { openProgressStream }] = await Promise.all([
    import('./options/common-options.ts'),
    import('../cli/standard-stream.ts'),
    import('../cli/progress/progress-stream.ts'),
  ]);
  return openProgressStream(verb.path, createProgressWriter(await parseProgressFd(value)), screen.now);
}

async function endWithFailure(progress: ProgressStream, error: unknown): Promise<void> {
  const failure = (await import('../cli/failure.ts')).explainFailure(error);
  progress.end(failure.exitStatus, failure);
}

/** Reads the settings, and describes the machine for an operation. @throws SETTINGS_INVALID */
export async function openHost(caller: Caller, report: Report, trace: Trace): Promise<Host> {
  const [{ readSettings }, { findLocations }] = await Promise.all([
    import('../host/settings.ts'),
    import('../host/locations.ts'),
  ]);
  const { env, uid, gid, program, signal } = caller;
  const settings = readSettings(env);
  const locations = findLocations(settings, env, uid);
  return {
    ...{ uid, gid, program, signal, report, trace, settings, locations },
    env: addProxyVariables(env, settings),
  };
}

function announceInterruption(signal: AbortSignal, report: Report): void {
  const text = 'interrupted: stopping at the next safe point; a second signal stops at once';
  signal.addEventListener('abort', () => {
    setTimeout(() => report({ kind: 'warning', text }), INTERRUPT_NOTICE_DELAY).unref();
  });
}
