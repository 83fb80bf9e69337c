/**
 * The journal: `STATE/journal/NAME.json` records that an operation on a container has begun. It is on the disk before
 * the first change and removed after the last one. A journal without a held lock is the result of a crash: `recover.ts`
 * undoes or finishes the operation. It is short, because all names are fixed (deployment.ts).
 */
import { readdir, readFile } from 'node:fs/promises';
import { AtomicError, rewordError } from '../base/errors.ts';
import { isErrno, withFileErrors } from '../base/file-error.ts';
import { isJsonObject, type JsonObject, parseJsonObject } from '../base/json-text.ts';
import type { Locations } from '../base/locations.ts';
import {
  ensureDirectory,
  removeFile,
  syncDirectory,
  temporaryPath,
  writeFileDurably,
} from '../host/files/durable-files.ts';
import { unlinkIfThere } from '../host/files/unlink-file.ts';
import type { Host } from '../host/host.ts';
import { buildLockFolder } from './container-lock.ts';
import type { DeploymentNumber } from './deployment.ts';
import { buildRollbackFailed } from './rollback-failed.ts';

/** Increased when an older program could misread a newer journal. */
const formatVersion = 1;
const maxLength = 64 * 1024;

/** An update or a rollback: the switch from one deployment to the other. */
export interface SwitchJournal {
  readonly operation: 'update' | 'rollback';
  readonly container: string;
  readonly from: DeploymentNumber;
  readonly to: DeploymentNumber;
  /**
   * `building`: the running container is unchanged. `switching`: recovery goes back to the old deployment. `settled`: the
   * new deployment is up, and recovery only removes leftovers.
   */
  readonly phase: 'building' | 'switching' | 'settled';
  /** The units that ran before, with their types, the service first. They are started again in every case. */
  readonly running: readonly string[];
  readonly isEnabled: boolean;
  /** Whether the number of the new deployment was in use before. */
  readonly hadPrevious: boolean;
}

export type Journal =
  | SwitchJournal
  /** A new container; `deployment` is the number that the install builds. */
  | { readonly operation: 'install'; readonly container: string; readonly deployment: DeploymentNumber }
  /**
   * The removal of a container. `hasService` and `runtime` are copied from its `info`, which may be removed already.
   */
  | {
      readonly operation: 'uninstall';
      readonly container: string;
      readonly hasService: boolean;
      readonly runtime: string | undefined;
      /**
       * Whether the service ran. It is started again when the uninstall is undone. Undefined in a journal of an older
       * version, which removed files in another order: recovery finishes such an uninstall.
       */
      readonly wasActive: boolean | undefined;
      /**
       * The units that ran and stop with the service, with their types, the service first; empty in a journal of older
       * versions.
       */
      readonly running: readonly string[];
    };

/**
 * Begins an operation. From then on the next command recovers it after a crash.
 *
 * @throws file errors; then the operation has not begun, and there is no journal. ROLLBACK_FAILED when a journal exists
 *   that cannot be removed: recovery then runs as after a crash, and finds nothing to undo.
 */
export async function writeJournal(host: Host, journal: Journal): Promise<void> {
  const folder = buildJournalFolder(host.locations);
  const path = buildJournalPath(host.locations, journal.container);
  await ensureDirectory(folder);
  await writeFileDurably(path, formatJournal(journal), 0o600);
  try {
    await syncDirectory(folder);
  } catch (failure) {
    const step = `beginning to ${journal.operation} ${journal.container}`;
    await removeFile(path).catch((error: unknown) => {
      throw buildRollbackFailed(step, failure, error);
    });
    throw failure;
  }
}

/**
 * Ends an operation whose changes are on the disk.
 *
 * @throws file errors; the next command then recovers the operation, and finds nothing to do
 */
export async function removeJournal(host: Host, container: string): Promise<void> {
  try {
    await removeFile(buildJournalPath(host.locations, container));
    await syncDirectory(buildJournalFolder(host.locations));
  } catch (error) {
    if (!(error instanceof AtomicError)) throw error;
    const hint = `Everything else is done: remove the cause and run \`atomic recover\`.`;
    throw rewordError(error, error.message, hint);
  }
}

/**
 * Finds the journal of a container.
 *
 * @throws JOURNAL_UNREADABLE when this version cannot read it: then the container must not be changed
 */
export async function findJournal(host: Host, container: string): Promise<Journal | undefined> {
  const path = buildJournalPath(host.locations, container);
  return withFileErrors(`read ${path}`, async () => {
    try {
      return parseJournal(await readFile(path, 'utf8'), path);
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return undefined;
      throw error;
    }
  });
}

/** Lists the containers that have a journal, whether their operation still runs or not. */
export async function listJournals(host: Host): Promise<readonly string[]> {
  return (await listEntries(buildJournalFolder(host.locations)))
    .map((name) => /^([^.].*)\.json$/.exec(name)?.[1])
    .filter((name) => name !== undefined);
}

/**
 * Lists the containers with a lock file or an incomplete journal of an operation that was killed before its first
 * change.
 */
export async function listTraces(host: Host): Promise<readonly string[]> {
  const locks = await listEntries(buildLockFolder(host.locations));
  const journals = (await listEntries(buildJournalFolder(host.locations)))
    .map((name) => /^\.(.+)\.json\.new$/.exec(name)?.[1])
    .filter((name) => name !== undefined);
  return [...new Set([...locks, ...journals])].sort();
}

/** Removes an incomplete journal. The caller holds the lock of the container. */
export async function removeTrace(host: Host, container: string): Promise<void> {
  const path = temporaryPath(buildJournalPath(host.locations, container));
  await withFileErrors(`remove ${path}`, async () => unlinkIfThere(path));
}

async function listEntries(folder: string): Promise<readonly string[]> {
  return withFileErrors(`read ${folder}`, async () => {
    try {
      return (await readdir(folder)).sort();
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return [];
      throw error;
    }
  });
}

export function formatJournal(journal: Journal): string {
  return `${JSON.stringify({ version: formatVersion, ...journal }, undefined, 2)}\n`;
}

/** @throws JOURNAL_UNREADABLE */
export function parseJournal(text: string, path: string): Journal {
  const reject = (problem: string) =>
    new AtomicError('JOURNAL_UNREADABLE', `read ${path}: ${problem}`, {
      hint: 'A newer atomic may have written it: use that version. Otherwise move the file away and uninstall the container.',
      details: { path },
    });
  const value = parseJsonObject(text, maxLength, reject);
  if (!isJsonObject(value)) throw reject('it is not a journal');
  const { version, operation, container, deployment, hasService, runtime, wasActive, running } = value;
  if (version !== formatVersion) {
    throw reject(`format ${String(version)} is unknown, this atomic reads format ${formatVersion}`);
  }
  if (typeof container !== 'string' || !path.endsWith(`/${container}.json`)) {
    throw reject('it belongs to another container');
  }
  if (operation === 'install' && (deployment === 0 || deployment === 1)) {
    return { operation, container, deployment };
  }
  if (operation === 'uninstall' && typeof hasService === 'boolean') {
    return {
      ...{ operation, container, hasService },
      runtime: typeof runtime === 'string' ? runtime : undefined,
      wasActive: typeof wasActive === 'boolean' ? wasActive : undefined,
      running: isStrings(running) ? running : [],
    };
  }
  if (operation === 'update' || operation === 'rollback') {
    const journal = parseSwitch(value, { operation, container });
    if (journal !== undefined) return journal;
  }
  throw reject('its operation is unknown to this atomic');
}

function parseSwitch(
  value: JsonObject,
  named: Pick<SwitchJournal, 'operation' | 'container'>,
): SwitchJournal | undefined {
  const { from, to, phase, running, isEnabled, hadPrevious } = value;
  const isPair = (from === 0 && to === 1) || (from === 1 && to === 0);
  const isPhase = phase === 'building' || phase === 'switching' || phase === 'settled';
  if (!isPair || !isPhase || typeof isEnabled !== 'boolean' || typeof hadPrevious !== 'boolean')
    return undefined;
  if (!isStrings(running)) return undefined;
  return { ...named, from, to, phase, running, isEnabled, hadPrevious };
}

function isStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function buildJournalFolder(locations: Locations): string {
  return `${locations.state}/journal`;
}

function buildJournalPath(locations: Locations, container: string): string {
  return `${buildJournalFolder(locations)}/${container}.json`;
}
