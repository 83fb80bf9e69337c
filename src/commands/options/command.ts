import type { CommandSpec, Input, OperandTable, OptionTable } from '../../cli/arguments/command-spec.ts';
import type { Display } from '../../cli/output/display.ts';
import type { Host } from '../../host/host.ts';

/** A verb: its tables and its action. The program prints the result of `run`; commands write nothing themselves. */
export interface Command<
  Options extends OptionTable = OptionTable,
  Operands extends OperandTable = OperandTable,
> extends CommandSpec<Options, Operands> {
  // A method, not a property: only then is a command with its own tables a `Command`.
  run(host: Host, input: Input<Options, Operands>, person: Person): Promise<Output>;
}

/** The person who called the program, for questions. */
export interface Person {
  /** `-y`: the answer to every question is yes, without asking. */
  readonly assumeYes: boolean;
  /**
   * Prints a question without a newline and waits for a line.
   *
   * @returns the line without its newline; `undefined` at the end of input
   */
  ask(question: string): Promise<string | undefined>;
  /** Whether standard input is a terminal, so that a question can be answered. */
  isPresent(): Promise<boolean>;
  /** Where the result is printed. A command with a document asks nothing: finding a terminal takes time. */
  findDisplay(): Display;
}

export interface Output {
  /** The text for standard output, with its newlines. */
  readonly text: string;
  /** A line for standard error after the text. */
  readonly remark?: string;
  /** The default is 0. */
  readonly exitStatus?: number;
}

/** Gives `run` the types that follow from the tables. */
export function defineCommand<const Options extends OptionTable, const Operands extends OperandTable>(
  command: Command<Options, Operands>,
): Command<Options, Operands> {
  return command;
}
