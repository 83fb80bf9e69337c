/** The folders of the host that belong to one container. */
import { simplifyPath } from '../render/config/runtime-config.ts';

interface FolderFacts {
  readonly values: Readonly<Record<string, string | number>>;
  /** The folders with its name that belong to another program. */
  readonly foreignFolders: readonly string[];
  /** Paths in the container of its volumes. */
  readonly volumes: readonly string[];
}

/** The folders with the name of a container, `STATE_DIRECTORY/NAME` and `RUN_DIRECTORY/NAME`, also those of other programs. */
export function listNamedFolders(name: string, values: FolderFacts['values']): readonly string[] {
  return [values.STATE_DIRECTORY, values.RUN_DIRECTORY]
    .map((parent) => buildNamedFolder(name, parent))
    .filter((folder) => folder !== undefined);
}

/** @returns undefined when the parent is no absolute path */
export function buildNamedFolder(name: string, parent: string | number | undefined): string | undefined {
  if (typeof parent !== 'string' || !parent.startsWith('/')) return undefined;
  return simplifyPath(`${parent}/${name}`);
}

/** The folders that belong to the container alone. Its volumes do so in a folder of another program, too. */
export function listOwnFolders(name: string, facts: FolderFacts): readonly string[] {
  const { values, foreignFolders, volumes } = facts;
  const own = listNamedFolders(name, values).filter((folder) => !foreignFolders.includes(folder));
  const state = buildNamedFolder(name, values.STATE_DIRECTORY);
  return state === undefined || volumes.length === 0 ? own : [...own, `${state}/volumes`];
}
