/**
 * The content of a journal, which is the same for all operations:
 *
 * ```
 * commit  how to find the commit point: `phase`, which the operation writes, or `link`, the target of the symlink
 * back    the steps that undo the operation before its commit point
 * rest    the steps that remain after its commit point
 * ```
 *
 * Recovery walks one of the two lists (recovery/walk-journal.ts). All steps may be repeated, so a journal does not record
 * which of them are done. All names of files are fixed (deployment.ts).
 */
import { AtomicError } from '../base/errors.ts';
import { isJsonObject, type JsonObject, parseJsonObject } from '../base/json-text.ts';
import type { DeploymentNumber } from './deployment.ts';
import { isNumber, isStep, isTexts, listContainersOf, type Step } from './step.ts';

/** Increased when an older program could misread a newer journal. No release wrote format 1. */
const formatVersion = 2;
/** A step has about 100 bytes, and an update has a dozen steps for each container. */
const maxLength = 4 * 1024 * 1024;

const operations = ['install', 'uninstall', 'update', 'rollback', 'repair'] as const;
const phases = ['building', 'switching', 'settled'] as const;

export type CommitPoint =
  /**
   * `building`: the running containers are unchanged. `switching`: the operation changes them. `settled`: the new
   * deployments are up; only this phase is past the commit point.
   */
  | { readonly phase: (typeof phases)[number] }
  /** Past the commit point when the symlink names this deployment; null: when there is no symlink. */
  | { readonly link: DeploymentNumber | null };

export interface Journal {
  readonly operation: (typeof operations)[number];
  /** Several for a group. The file is named after the first. */
  readonly containers: readonly [string, ...string[]];
  readonly commit: CommitPoint;
  /** In the order in which they are taken. */
  readonly back: readonly Step[];
  readonly rest: readonly Step[];
}

/** The journal of another member of a group. It refers to that of the first member, and is void without it. */
export interface MemberJournal {
  readonly container: string;
  readonly memberOf: string;
}

export function formatJournal(journal: Journal | MemberJournal): string {
  return `${JSON.stringify({ version: formatVersion, ...journal }, undefined, 1)}\n`;
}

/** @throws JOURNAL_UNREADABLE */
export function parseJournal(text: string, path: string): Journal | MemberJournal {
  const reject = (problem: string) =>
    new AtomicError('JOURNAL_UNREADABLE', `read ${path}: ${problem}`, {
      hint: 'Another version of atomic may have written it: use that version. Otherwise move the file away and uninstall the container.',
      details: { path },
    });
  const value = parseJsonObject(text, maxLength, reject);
  if (value.version !== formatVersion) {
    throw reject(`format ${String(value.version)} is unknown, this atomic reads format ${formatVersion}`);
  }
  const belongs = (name: unknown) => typeof name === 'string' && path.endsWith(`/${name}.json`);
  const { container, memberOf } = value;
  if (typeof memberOf === 'string' && typeof container === 'string') {
    if (!belongs(container) || memberOf.includes('/')) throw reject('it belongs to another container');
    return { container, memberOf };
  }
  if (isTexts(value.containers) && !belongs(value.containers[0])) {
    throw reject('it belongs to another container');
  }
  const journal = parseOperation(value);
  if (journal === undefined) throw reject('its operation is unknown to this atomic');
  return journal;
}

function parseOperation(value: JsonObject): Journal | undefined {
  const operation = operations.find((one) => one === value.operation);
  const commit = parseCommit(value.commit);
  if (operation === undefined || commit === undefined || !isTexts(value.containers)) return undefined;
  const [first, ...others] = value.containers;
  const containers = [first ?? '', ...others] as const;
  const back = parseSteps(value.back, containers);
  const rest = parseSteps(value.rest, containers);
  if (first === undefined || back === undefined || rest === undefined) return undefined;
  return { operation, containers, commit, back, rest };
}

function parseCommit(value: unknown): CommitPoint | undefined {
  if (!isJsonObject(value)) return undefined;
  const phase = phases.find((one) => one === value.phase);
  if (phase !== undefined) return { phase };
  return value.link === null || isNumber(value.link) ? { link: value.link } : undefined;
}

/** @returns undefined when a step is unknown, or changes a container that the journal does not name */
function parseSteps(value: unknown, containers: readonly string[]): readonly Step[] | undefined {
  if (!Array.isArray(value) || !value.every(isStep)) return undefined;
  const areOfJournal = value.flatMap(listContainersOf).every((name) => containers.includes(name));
  return areOfJournal ? value : undefined;
}
