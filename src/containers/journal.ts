/**
 * The journal: `STATE/journal/NAME.json` records that an operation on a container has begun. It is on the disk before
 * the first change and removed after the last one. A journal without a held lock is the result of a crash: `recover.ts`
 * undoes or finishes the operation. journal-format.ts describes its content.
 */
import { AtomicError, rewordError } from '../base/errors.ts';
import { withFileErrors } from '../base/file-error.ts';
import { FileMode } from '../base/file-mode.ts';
import {
  ensureDirectory,
  removeFile,
  syncDirectory,
  temporaryPath,
  writeFileDurably,
} from '../host/files/durable-files.ts';
import { isNameTaken } from '../host/files/existing-paths.ts';
import { findText, listFolder } from '../host/files/find-file.ts';
import { unlinkIfThere } from '../host/files/unlink-file.ts';
import type { Host } from '../host/host.ts';
import type { Locations } from '../host/locations.ts';
import { buildLockFolder } from './container-lock.ts';
import { formatJournal, type Journal, type MemberJournal, parseJournal } from './journal-format.ts';
import { buildRollbackFailed } from './rollback-failed.ts';

/**
 * Begins an operation. From then on the next command recovers it after a crash. The journals of the other members of a group
 * come after that of the first one, and none of them is changed before all are there.
 *
 * @throws file errors; then the operation has not begun, and there is no journal. ROLLBACK_FAILED when a journal exists
 *   that cannot be removed: recovery then runs as after a crash, and finds nothing to undo.
 */
export async function writeJournal(host: Host, journal: Journal): Promise<void> {
  const folder = buildJournalFolder(host.locations);
  await ensureDirectory(folder);
  const [first, ...others] = journal.containers;
  try {
    await writeFile(host, first, journal);
    for (const container of others) await writeFile(host, container, { container, memberOf: first });
    await syncDirectory(folder);
  } catch (failure) {
    const step = `beginning to ${journal.operation} ${journal.containers.join(', ')}`;
    await removeFiles(host, journal).catch((error: unknown) => {
      throw buildRollbackFailed(step, failure, error);
    });
    throw failure;
  }
}

/**
 * Replaces the journal of an operation by that of its next phase.
 *
 * @param former what the journal says now
 * @throws file errors; the journal is the former one then. ROLLBACK_FAILED when the disk has one of the two, and which one
 *   is not known; then what the newer one says must stay possible
 */
export async function replaceJournal(host: Host, former: Journal, journal: Journal): Promise<void> {
  const [name] = journal.containers;
  await writeFile(host, name, journal);
  try {
    await syncDirectory(buildJournalFolder(host.locations));
  } catch (failure) {
    await writeFile(host, name, former).catch((error: unknown) => {
      throw buildRollbackFailed(`recording the ${journal.operation} of ${name}`, failure, error);
    });
    throw failure;
  }
}

/**
 * Ends an operation whose changes are on the disk.
 *
 * @throws file errors; the next command then recovers the operation, and finds nothing to do
 */
export async function removeJournal(host: Host, journal: Journal): Promise<void> {
  try {
    await removeFiles(host, journal);
    await syncDirectory(buildJournalFolder(host.locations));
  } catch (error) {
    if (!(error instanceof AtomicError)) throw error;
    const hint = `Everything else is done: remove the cause and run \`atomic recover\`.`;
    throw rewordError(error, error.message, hint);
  }
}

/** The first one goes first: without it those of the other members mean nothing. */
async function removeFiles(host: Host, { containers: [first, ...others] }: Journal): Promise<void> {
  await removeFile(buildJournalPath(host.locations, first));
  for (const container of others) {
    const found = await readFileOf(host, container);
    // Before the journals of all members were there, another operation may have begun on one of them.
    const isMember = found === undefined || ('memberOf' in found && found.memberOf === first);
    if (isMember) await removeFile(buildJournalPath(host.locations, container));
  }
}

async function writeFile(host: Host, container: string, content: Journal | MemberJournal): Promise<void> {
  await writeFileDurably(
    buildJournalPath(host.locations, container),
    formatJournal(content),
    FileMode.private,
  );
}

/**
 * Finds the journal of the operation on a container: its own, or that of its group.
 *
 * @throws JOURNAL_UNREADABLE when this version cannot read it: then the container must not be changed
 */
export async function findJournal(host: Host, container: string): Promise<Journal | undefined> {
  const found = await readFileOf(host, container);
  if (found === undefined || !('memberOf' in found)) return found;
  const first = await readFileOf(host, found.memberOf);
  const isMember = first !== undefined && 'containers' in first && first.containers.includes(container);
  return isMember ? first : undefined;
}

async function readFileOf(host: Host, container: string): Promise<Journal | MemberJournal | undefined> {
  const path = buildJournalPath(host.locations, container);
  const text = await findText(path);
  return text === undefined ? undefined : parseJournal(text, path);
}

/** Lists the containers that have a journal, whether their operation still runs or not. */
export async function listJournals(host: Host): Promise<readonly string[]> {
  return (await listFolder(buildJournalFolder(host.locations)))
    .map(({ name }) => /^([^.].*)\.json$/.exec(name)?.[1])
    .filter((name) => name !== undefined);
}

/**
 * Lists the containers with a lock file or an incomplete journal of an operation that was killed before its first
 * change.
 */
export async function listTraces(host: Host): Promise<readonly string[]> {
  const locks = (await listFolder(buildLockFolder(host.locations))).map(({ name }) => name);
  const journals = (await listFolder(buildJournalFolder(host.locations)))
    .map(({ name }) => /^\.(.+)\.json\.new$/.exec(name)?.[1])
    .filter((name) => name !== undefined);
  return [...new Set([...locks, ...journals])].sort();
}

/**
 * Removes an incomplete journal, and that of a member of a group whose operation has ended. The caller holds the lock of
 * the container.
 */
export async function removeTrace(host: Host, container: string): Promise<void> {
  const path = buildJournalPath(host.locations, container);
  const half = temporaryPath(path);
  await withFileErrors(`remove ${half}`, async () => unlinkIfThere(half));
  if (await isNameTaken(path)) await removeFile(path);
}

function buildJournalFolder(locations: Locations): string {
  return `${locations.state}/journal`;
}

function buildJournalPath(locations: Locations, container: string): string {
  return `${buildJournalFolder(locations)}/${container}.json`;
}
