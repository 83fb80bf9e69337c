/** What a rule says about a configuration, and what it means for a runtime. */

/** What a runtime does with the configuration: `starts` means that it starts, and does something else than it says. */
type Effect = 'refuses' | 'starts';

export interface Rule {
  /** Stable: programs and people name a rule by it. */
  readonly name: string;
  readonly runc: Effect;
  readonly crun: Effect;
  /** Follows the fault in a message: what it leads to. */
  readonly reason: string;
}

export interface Fault {
  /** The place in the configuration: `process.rlimits[1]`. */
  readonly where: string;
  /** Follows the place in a message. */
  readonly problem: string;
}

export interface Finding {
  readonly level: 'error' | 'warning';
  readonly rule: string;
  readonly where: string;
  readonly text: string;
}

/** The runtimes whose rules are known. Of another one, or of none, only what both refuse is an error. */
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
    where,
    text: `${where} ${problem}: ${describe(rule)}`,
  };
}

function describe({ runc, crun, reason }: Rule): string {
  if (runc === crun) return reason;
  return `${runc === 'refuses' ? 'runc' : 'crun'} does not start it, ${reason}`;
}
