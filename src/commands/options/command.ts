import type { CommandSpec, Input, OperandTable, OptionTable } from '../../cli/arguments/command-spec.ts';
import type { Host } from '../../host/host.ts';

/** A verb: its tables and what it does. The program prints what `run` returns; commands never write themselves. */
export interface Command<
  Options extends OptionTable = OptionTable,
  Operands extends OperandTable = OperandTable,
> extends CommandSpec<Options, Operands> {
  // A method, not a property: only then is a command with its own tables a `Command`.
  run(host: Host, input: Input<Options, Operands>, person: Person): Promise<Output>;
}

/** Who called the program, and can be asked. */
export interface Person {
  /** `-y`: every question is answered with yes, and not asked. */
  readonly assumeYes: boolean;
  /**
   * Prints a question without a newline and waits for a line.
   *
   * @returns the line without its newline; `undefined` at the end of input, as when nobody is there
   */
  ask(question: string): Promise<string | undefined>;
  /** Whether standard input is a terminal, so that a question can be answered. */
  isPresent(): Promise<boolean>;
}

export interface Output {
  /** Everything for standard output, with its newlines. */
  readonly text: string;
  /** 0 when left out. */
  readonly exitStatus?: number;
}

/** Gives `run` the types that follow from the tables. */
export function defineCommand<const Options extends OptionTable, const Operands extends OperandTable>(
  command: Command<Options, Operands>,
): Command<Options, Operands> {
  return command;
}
