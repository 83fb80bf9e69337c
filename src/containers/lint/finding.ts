/** The finding of a rule about the files of an image, and its meaning for a runtime. */

/**
 * What a runtime does with the configuration: `starts` means that it starts, but does not do what the configuration
 * says.
 */
type Effect = 'refuses' | 'starts';

export interface Rule {
  /** Stable: programs and people name a rule by it. */
  readonly name: string;
  readonly runc: Effect;
  readonly crun: Effect;
  /** The consequence, which follows the fault in a message. */
  readonly reason: string;
}

export interface Fault {
  /** The place in the configuration: `process.rlimits[1]`. */
  readonly where: string;
  /** Follows the place in a message. */
  readonly problem: string;
}

export type Level = 'error' | 'warning';

export interface Finding {
  readonly level: Level;
  readonly rule: string;
  /** The file with the fault, as the author of the image knows it: `config.json`, `service.template`. */
  readonly file: string;
  /** The place in the file; empty for the whole file. */
  readonly where: string;
  readonly text: string;
}

/** The runtimes whose rules are known. For another runtime, or none, only a fault that both refuse is an error. */
export type RuntimeKind = 'runc' | 'crun' | 'other';

/** @param runtime path of the OCI runtime */
export function findRuntimeKind(runtime: string): RuntimeKind {
  const name = runtime.slice(runtime.lastIndexOf('/') + 1);
  return name === 'runc' || name === 'crun' ? name : 'other';
}

export function buildFinding(rule: Rule, { where, problem }: Fault, runtime: RuntimeKind): Finding {
  const isRefused =
    runtime === 'other' ? rule.runc === 'refuses' && rule.crun === 'refuses' : rule[runtime] === 'refuses';
  return {
    level: isRefused ? 'error' : 'warning',
    rule: rule.name,
    file: 'config.json',
    where,
    text: `${where} ${problem}: ${describe(rule)}`,
  };
}

function describe({ runc, crun, reason }: Rule): string {
  if (runc === crun) return reason;
  return `${runc === 'refuses' ? 'runc' : 'crun'} does not start it, ${reason}`;
}

/** Sorts errors before warnings; otherwise the order stays. */
export function sortFindings(findings: readonly Finding[]): readonly Finding[] {
  return [
    ...findings.filter(({ level }) => level === 'error'),
    ...findings.filter(({ level }) => level === 'warning'),
  ];
}
