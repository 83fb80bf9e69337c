/** Finds what the packages of an image expect systemd to do before a service starts. */
import { toPrintable } from '../../base/printable.ts';
import { readOwners, type UserFiles } from '../../image/user-lookup.ts';
import type { ImageTree } from '../../store/image-files.ts';
import {
  listDeclaredFolders,
  listPreparations,
  listUnitFolders,
  type RunFolder,
} from '../render/config/run-folders.ts';

const tmpfilesFolders = ['usr/lib/tmpfiles.d', 'etc/tmpfiles.d'];
const unitFolder = 'etc/systemd/system';

/** The limits are far above real images. */
const MAX_FILES = 500;
/** Of all files together. */
const MAX_BYTES = 1024 * 1024;
const MAX_DECLARED = 200;
const MAX_FOLDERS = 50;
const MAX_SHOWN = 400;

interface RunPreparation {
  /** Folders that the image does not have, sorted. */
  readonly folders: readonly RunFolder[];
  /** Sentences for the person who installs the image. */
  readonly warnings: readonly string[];
}

/**
 * Reads the tmpfiles.d files of an image and its enabled units.
 *
 * @param command the program that the container starts
 */
export function readRunFolders(tree: ImageTree, users: UserFiles, command: string): RunPreparation {
  const units = listEnabledUnits(tree);
  const findOwner = readOwners(users);
  const declared = [
    ...listFiles(tree, tmpfilesFolders, '.conf').flatMap(({ text }) => listDeclaredFolders(text, findOwner)),
    ...units.flatMap(({ text }) => listUnitFolders(text, findOwner)),
  ];
  const distinct = new Map(declared.map((folder) => [folder.path, folder]));
  const folders = [...distinct.values()]
    .slice(0, MAX_DECLARED)
    .filter(({ path }) => isMissing(tree, path))
    .sort((first, second) => (first.path < second.path ? -1 : 1))
    .slice(0, MAX_FOLDERS);
  const made = folders.map(({ path }) => path).join(', ');
  return {
    folders,
    warnings: [
      ...(made === ''
        ? []
        : [
            `The image does not have ${shorten(made)}, which its packages expect: the container gets it in memory.`,
          ]),
      ...units.flatMap(({ name, text }) => explainPreparations(name, listPreparations(text, command))),
    ],
  };
}

function explainPreparations(unit: string, commands: readonly string[]): readonly string[] {
  if (commands.length === 0) return [];
  return [
    `${toPrintable(unit)} of the image prepares the service, and the container does not: ${shorten(commands.join('; '))}. If the service needs it, do it in the image, or give it a folder with --tmpfs or --volume.`,
  ];
}

function shorten(text: string): string {
  return toPrintable(text, MAX_SHOWN);
}

/** The image has no entry there, and no symlink on the way. */
function isMissing(tree: ImageTree, path: string): boolean {
  const parts = path.split('/').slice(1);
  const parents = parts.slice(0, -1).map((_, index) => `/${parts.slice(0, index + 1).join('/')}`);
  return (
    tree.look(path) === undefined &&
    parents.every((parent) => (tree.look(parent)?.kind ?? 'directory') === 'directory')
  );
}

interface TextFile {
  readonly name: string;
  readonly text: string;
}

/** The units that the image would start at boot: symlinks in `multi-user.target.wants` and folders like it. */
function listEnabledUnits(tree: ImageTree): readonly TextFile[] {
  const folders = (tree.listDirectory(unitFolder) ?? [])
    .filter((name) => name.endsWith('.wants') || name.endsWith('.requires'))
    .map((name) => `${unitFolder}/${name}`);
  return listFiles(tree, folders, '.service');
}

function listFiles(tree: ImageTree, folders: readonly string[], suffix: string): readonly TextFile[] {
  const found = folders.flatMap((folder) =>
    (tree.listDirectory(folder) ?? [])
      .filter((name) => name.endsWith(suffix))
      .map((name) => ({ name, path: `${folder}/${name}` })),
  );
  const files: TextFile[] = [];
  let room = MAX_BYTES;
  for (const { name, path } of found.slice(0, MAX_FILES)) {
    const content = tree.readFile(path, MAX_BYTES);
    if (content === undefined) continue;
    room -= content.length;
    if (room < 0) break;
    files.push({ name, text: content.toString() });
  }
  return files;
}
