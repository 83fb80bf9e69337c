/** A command as data: the parser and `--help` use the same value. */
export interface CommandSpec<
  Options extends OptionTable = OptionTable,
  Operands extends OperandTable = OperandTable,
> {
  /** The description of the command in paragraphs of plain text; help wraps them. */
  readonly description: readonly string[];
  /** In the order in which they stand on the command line. */
  readonly operands: Operands;
  readonly options: Options;
  readonly examples: readonly Example[];
  /** Files that the command reads or changes, beyond those of every command. */
  readonly files: readonly HelpEntry[];
  /** Exit statuses beyond those of every command. */
  readonly exitStatuses: readonly HelpEntry[];
}

/** Options by their long name, without dashes. */
export type OptionTable = Readonly<Record<string, OptionSpec>>;

export type OptionSpec = (
  | { readonly kind: 'flag' }
  /** `--x`, `--x=true` or `--x=false`. */
  | { readonly kind: 'switch' }
  /** `--x` or `--x=VALUE`; the first is an empty text. */
  | { readonly kind: 'optional'; readonly label: string }
  /** A value; the last one counts. `label` is the name of the value in help: `PATH`. */
  | { readonly kind: 'value'; readonly label: string }
  /** A value; the option may be repeated, and all values count. */
  | { readonly kind: 'list'; readonly label: string }
) & {
  /** One letter, without the dash. */
  readonly short?: string;
  /** Other long names. */
  readonly aliases?: readonly string[];
  readonly description: string;
  /** The option is accepted for existing scripts only; help lists it in its own section. */
  readonly isCompatibility?: true;
} & Completed;

/** What a shell completes a value to. By default the label decides, see `cli/completion/value-kinds.ts`. */
interface Completed {
  readonly values?: readonly ValueKind[];
  readonly choices?: readonly string[];
}

export type ValueKind =
  /** A stored image. */
  | 'image'
  /** What can be pulled: a stored image, or a file after a word such as `oci-archive:`. */
  | 'source'
  /** A file that an image is exported to. */
  | 'destination'
  | 'container'
  | 'running container'
  | 'stopped container'
  | 'file'
  | 'folder'
  /** `NAME=PATH`. */
  | 'assigned file';

export type OperandTable = Readonly<Record<string, OperandSpec>>;

export interface OperandSpec extends Completed {
  /** Name in help: `IMAGE`. */
  readonly label: string;
  readonly description: string;
  /**
   * How many words the operand takes: one by default, `many` none or more, `some` one or more; `after-dashes` takes
   * all words after `--`, when there are others before it. Only the last operand, and the one before `after-dashes`, may
   * take another number than one.
   */
  readonly count?: 'optional' | 'many' | 'some' | 'after-dashes';
  /** The hint when the operand is missing. */
  readonly missing?: string;
}

export interface Example {
  readonly comment: string;
  readonly commands: readonly string[];
}

/** An entry of a list in help: a name, such as a path or an exit status, and its meaning. */
export interface HelpEntry {
  readonly name: string;
  readonly text: string;
}

/** The parsed command line of one command; its types follow from the tables of the command. */
export interface Input<
  Options extends OptionTable = OptionTable,
  Operands extends OperandTable = OperandTable,
> {
  readonly options: { readonly [Name in keyof Options]: OptionValue<Options[Name]> };
  readonly operands: { readonly [Name in keyof Operands]: OperandValue<Operands[Name]> };
}

type OperandValue<Spec extends OperandSpec> = Spec extends { count: 'many' | 'some' | 'after-dashes' }
  ? readonly string[]
  : Spec extends { count: 'optional' }
    ? string | undefined
    : string;

/** Flags are false and lists empty when left out; all others are `undefined`. */
export type OptionValue<Spec extends OptionSpec> = Spec extends { kind: 'flag' }
  ? boolean
  : Spec extends { kind: 'switch' }
    ? boolean | undefined
    : Spec extends { kind: 'list' }
      ? readonly string[]
      : string | undefined;
