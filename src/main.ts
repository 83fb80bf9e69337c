/**
 * From the command line to the exit status; the only reader of `process.*`. Modules are loaded when the verb is known:
 * even `node:fs` takes a sixth of the time of `--version`.
 */
import { AtomicError } from './base/errors.ts';
import { formatVersion } from './base/program.ts';
import { findVerb, type Request } from './cli/arguments/find-verb.ts';
import type { FailureContext } from './cli/error-text.ts';
import type { Screen } from './cli/progress/progress-display.ts';
import type { Output } from './commands/options/command.ts';
import type { Caller } from './commands/run-verb.ts';
import { type Verb, verbs } from './commands/verbs.ts';

const signals = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;
/** Shorter lines are written without a look for the terminal, which takes time. */
const NARROW = 40;
/** Shells report a program that signal N has ended as 128+N. */
const SIGNAL_STATUS = 128;

process.exit(await main(process.argv.slice(2)));

async function main(words: readonly string[]): Promise<number> {
  let context = { verb: '', uid: 0, debug: false };
  try {
    const request = findVerb(words, verbs);
    if (request.kind === 'version') {
      console.log(formatVersion().trimEnd());
      return 0;
    }
    if (request.kind === 'verb') {
      context = { verb: request.verb.path, uid: readUid(), debug: request.globals.debug };
    }
    const output = await runRequest(request);
    const { createTextWriter, createLastingWriter } = await import('./cli/standard-stream.ts');
    createTextWriter(1)(output.text);
    if (output.remark !== undefined) createLastingWriter(2).write(output.remark);
    return output.exitStatus ?? 0;
  } catch (error) {
    return printFailure(error, context, asksForJson(words));
  }
}

async function runRequest(request: Exclude<Request<Verb>, { kind: 'version' }>): Promise<Output> {
  switch (request.kind) {
    case 'help':
      return (await import('./commands/run-help.ts')).runHelp(request, (await openCaller()).caller);
    case 'completion': {
      const { runCompletion } = await import('./commands/completion/run-completion.ts');
      return runCompletion(request.words, (await openCaller()).caller);
    }
    case 'verb': {
      const [{ runVerb }, { caller, throwLost }] = await Promise.all([
        import('./commands/run-verb.ts'),
        openCaller(),
      ]);
      const output = await runVerb(request, caller);
      throwLost();
      return output;
    }
  }
}

/** @returns also a function that throws the error of a write to standard output that failed meanwhile */
async function openCaller(): Promise<{ readonly caller: Caller; readonly throwLost: () => void }> {
  await leaveDeletedDirectory();
  const [{ screen, throwLost }, { mayBeTerminal }, { describeTerminal, plainDisplay }] = await Promise.all([
    openScreen(),
    import('./cli/standard-stream.ts'),
    import('./cli/output/display.ts'),
  ]);
  const signal = listenToSignals();
  const caller: Caller = {
    env: process.env,
    uid: readUid(),
    gid: process.getegid?.() ?? 0,
    program: process.execPath,
    signal,
    screen,
    isPresent: async () => (await import('node:tty')).isatty(0),
    async ask(question) {
      screen.writeError(question);
      const line = await (await import('./cli/standard-stream.ts')).readLine(0, signal);
      // The person has not pressed Enter after the question.
      if (line === undefined) screen.writeError('\n');
      return line;
    },
    findDisplay() {
      if (!mayBeTerminal(1) || !process.stdout.isTTY) return plainDisplay;
      return describeTerminal(process.env, process.stdout.columns);
    },
  };
  return { caller, throwLost };
}

async function leaveDeletedDirectory(): Promise<void> {
  try {
    process.cwd();
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    process.chdir('/');
    (await import('./host/working-directory.ts')).forbidRelativePaths();
  }
}

async function printFailure(error: unknown, context: FailureContext, json: boolean): Promise<number> {
  const [{ explainFailure }, { formatFailure, formatFailureJson }, { screen }] = await Promise.all([
    import('./cli/failure.ts'),
    import('./cli/error-text.ts'),
    openScreen(),
  ]);
  const failure = explainFailure(error);
  if (json) screen.writeError(formatFailureJson(failure));
  else screen.writeRemark(formatFailure(failure, context));
  return failure.exitStatus;
}

/** Also on a command line that cannot be parsed. What stands after `--` is an operand. */
function asksForJson(words: readonly string[]): boolean {
  const end = words.indexOf('--');
  return words.slice(0, end < 0 ? undefined : end).includes('--json');
}

function readUid(): number {
  return process.geteuid?.() ?? 0;
}

/** The first signal asks the operation to stop between two steps; the second ends the program where it is. */
function listenToSignals(): AbortSignal {
  const controller = new AbortController();
  for (const [name, number] of Object.entries(signals)) {
    const exitStatus = SIGNAL_STATUS + number;
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(exitStatus);
      controller.abort(new AtomicError('INTERRUPTED', `interrupted by ${name}`, { exitStatus }));
    });
  }
  return controller.signal;
}

async function openScreen(): Promise<{ readonly screen: Screen; readonly throwLost: () => void }> {
  const [{ createLastingWriter, mayBeTerminal }, { foldMessage }] = await Promise.all([
    import('./cli/standard-stream.ts'),
    import('./cli/output/text-width.ts'),
  ]);
  const out = createLastingWriter(1);
  const { write: writeError } = createLastingWriter(2);
  const findTerminal = (): ReturnType<Screen['findTerminal']> => {
    if (!mayBeTerminal(2) || process.env.TERM === 'dumb') return undefined;
    const { stderr } = process;
    if (!stderr.isTTY) return undefined;
    return { columns: () => stderr.columns || 80, rows: () => stderr.rows || 24 };
  };
  const screen: Screen = {
    writeOut: out.write,
    writeError,
    writeRemark(text) {
      const terminal = text.length > NARROW ? findTerminal() : undefined;
      writeError(foldMessage(text, terminal?.columns()));
    },
    findTerminal,
    now: () => performance.now(),
    repeat(milliseconds, call) {
      const timer = setInterval(call, milliseconds).unref();
      return () => clearInterval(timer);
    },
  };
  return { screen, throwLost: out.throwLost };
}
