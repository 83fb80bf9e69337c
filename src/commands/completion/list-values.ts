import { AtomicError } from '../../base/errors.ts';
import { findErrno } from '../../base/file-error.ts';
import type { ValueKind } from '../../cli/arguments/command-spec.ts';
import type { ArgumentCompletion } from '../../cli/completion/complete-words.ts';
import type { CompletedPath } from '../../cli/completion/format-candidates.ts';
import type { Host } from '../../host/host.ts';

type ValueRequest = Extract<ArgumentCompletion, { kind: 'values' }>;

/** What a shell proposes for a value. */
interface ListedValues {
  readonly texts: readonly string[];
  readonly path?: CompletedPath;
}

const sourcePrefixes = [
  'containers-storage:',
  'dir:',
  'docker-archive:',
  'docker:',
  'dockertar:',
  'oci-archive:',
  'oci:',
];
const destinationPrefixes = ['dir:', 'docker-archive:', 'oci-archive:', 'oci:'];
const filePrefix = /^(?:dockertar|docker-archive|oci-archive|oci|dir):/;
/** An image and a container never begin like this. */
const obviousPath = /^[./~]/;

/** Lists the values that this machine has. */
export async function listValues(host: Host, { values, value, given }: ValueRequest): Promise<ListedValues> {
  const { kinds, choices } = values;
  const path = findPath(kinds, value);
  if (path?.after === 'oci:' && kinds.includes('source')) {
    const tags = await readOrNothing(() => listLayoutTags(value));
    if (tags.length > 0) return { texts: tags };
  }
  if (path !== undefined) return { texts: [], path };
  const found = await Promise.all(kinds.map((kind) => readOrNothing(() => listKind(host, kind))));
  return { texts: [...choices, ...found.flat()].filter((text) => !given.includes(text)) };
}

function findPath(kinds: readonly ValueKind[], value: string): CompletedPath | undefined {
  if (kinds.includes('assigned file')) {
    const [after] = /^[^=]*=/.exec(value) ?? [];
    return after === undefined ? undefined : { kind: 'files', after };
  }
  if (kinds.includes('source') || kinds.includes('destination')) {
    const [after] = filePrefix.exec(value) ?? [];
    if (after === undefined) return undefined;
    return { kind: after === 'oci:' || after === 'dir:' ? 'folders' : 'files', after };
  }
  const isOnly = kinds.length === 1 || obviousPath.test(value);
  if (!isOnly) return undefined;
  if (kinds.includes('file')) return { kind: 'files', after: '' };
  return kinds.includes('folder') ? { kind: 'folders', after: '' } : undefined;
}

async function listKind(host: Host, kind: ValueKind): Promise<readonly string[]> {
  switch (kind) {
    case 'image':
      return listImageNames(host);
    case 'source':
      return [...(await listImageNames(host)), ...sourcePrefixes];
    case 'destination':
      return destinationPrefixes;
    case 'container':
      return (await import('../../containers/read-container.ts')).listContainerNames(host);
    case 'running container':
    case 'stopped container': {
      const { listContainers } = await import('../../containers/list-containers.ts');
      const wanted = kind === 'running container';
      const containers = await listContainers(host);
      return containers
        .filter((container) => container.kind === 'container' && (container.status === 'running') === wanted)
        .map(({ name }) => name);
    }
    case 'file':
    case 'folder':
    case 'assigned file':
      return [];
  }
}

async function listImageNames({ locations }: Host): Promise<readonly string[]> {
  return (await import('../../store/find-image.ts')).listStoredNames(locations.repository);
}

/** @param value `oci:DIR` or `oci:DIR:` with the beginning of a tag */
async function listLayoutTags(value: string): Promise<readonly string[]> {
  const [{ readLayoutFolder }, { parseLayoutIndex }, { listPlaceSplits }] = await Promise.all([
    import('../../source/local/local-folder.ts'),
    import('../../image/archive-index.ts'),
    import('../../image/source-name.ts'),
  ]);
  for (const { path } of listPlaceSplits(value.slice('oci:'.length)).slice(0, 2)) {
    const index = await readOrNothing(async () => parseLayoutIndex(await readLayoutFolder(path), path));
    if (index.length > 0) return index.flatMap(({ tag }) => (tag === undefined ? [] : `oci:${path}:${tag}`));
  }
  return [];
}

/** What cannot be read has no values: a shell that completes a word has no place for an error. */
async function readOrNothing<T>(read: () => Promise<readonly T[]>): Promise<readonly T[]> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof AtomicError || findErrno(error) !== undefined) return [];
    throw error;
  }
}
