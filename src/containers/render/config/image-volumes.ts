/** The folders of an image whose content lasts: its volumes, and `/var/lib`. */
import { AtomicError } from '../../../base/errors.ts';
import { toPrintable } from '../../../base/printable.ts';
import { findPlace, type LookAtImage } from './mount-destinations.ts';

/** A folder of the image that a folder of the host covers. */
export interface ImageVolume {
  /** The path in the container, simplified, without symlinks. */
  readonly path: string;
  /** Whether the image has the folder; then a new volume is a copy of it. */
  readonly isInImage: boolean;
  /** Volumes inside this one that the image does not have: paths in the container. */
  readonly missingInside: readonly string[];
}

/** A volume of a deployment. */
export interface PlannedVolume {
  /** The path in the container. */
  readonly path: string;
  /** The folder of the host. */
  readonly folder: string;
  /** Whether the folder does not exist yet. */
  readonly isNew: boolean;
  /** Whether the image has the folder; a new volume is a copy of it. */
  readonly isInImage: boolean;
  readonly missingInside: readonly string[];
  /** The owner of a new folder that the image does not have. */
  readonly owner: { readonly uid: number; readonly gid: number };
}

/** The volumes that an operation makes. */
export interface NewVolumes {
  /** `STATE_DIRECTORY/NAME/volumes`; empty when there is no new volume. */
  readonly root: string;
  readonly volumes: readonly PlannedVolume[];
  /** Folders above the volumes that do not exist yet, outermost first. */
  readonly parents: readonly string[];
}

export const noNewVolumes: NewVolumes = { root: '', volumes: [], parents: [] };

/** Services keep their data here; the root filesystem is read-only. */
const stateFolder = '/var/lib';

/** The limits are far above real images. */
const maxVolumes = 100;
const maxPathBytes = 1024;

/** The runtime makes these folders; nothing in them lasts. */
const kernelFolders = ['/dev', '/proc', '/sys'];

/**
 * Lists the volumes of an image and `/var/lib`, sorted. A volume inside another one is a folder of the other one.
 *
 * @param declared `Volumes` of the image's configuration
 * @throws CONFIG_INVALID when a path cannot be a volume
 */
export function listImageVolumes(declared: readonly string[], look: LookAtImage): readonly ImageVolume[] {
  if (declared.length > maxVolumes) {
    throw refuse(`it has ${declared.length} volumes, ${maxVolumes} are supported`);
  }
  const found = new Map<string, FoundVolume>();
  for (const path of [stateFolder, ...declared]) {
    const volume = resolveVolume(path, look);
    found.set(volume.path, volume);
  }
  const sorted = [...found.values()].sort((first, second) => (first.path < second.path ? -1 : 1));
  const listInside = ({ path: outer }: FoundVolume) =>
    sorted.filter(({ path }) => path.startsWith(`${outer}/`));
  return sorted
    .filter((volume) => !sorted.some((other) => listInside(other).includes(volume)))
    .map((volume) => {
      const missing = listInside(volume).filter(({ isInImage }) => !isInImage);
      return { ...volume, missingInside: missing.map(({ path }) => path) };
    });
}

type FoundVolume = Omit<ImageVolume, 'missingInside'>;

function resolveVolume(declared: string, look: LookAtImage): FoundVolume {
  const volume = `its volume '${toPrintable(declared, 100)}'`;
  const problem = findPathProblem(declared);
  if (problem !== undefined) throw refuse(`${volume} ${problem}`);
  const { path, kind } = findPlace(look, new Set(), declared, (reason) => refuse(`${volume}: ${reason}`));
  if (path === '/') throw refuse(`${volume} is the root of the container`);
  if (kind === 'file') throw refuse(`${volume} is not a folder in the image`);
  const kernel = kernelFolders.find((folder) => path === folder || path.startsWith(`${folder}/`));
  if (kernel !== undefined) throw refuse(`${volume} is in ${kernel}, which the kernel provides`);
  return { path, isInImage: kind === 'directory' };
}

function findPathProblem(path: string): string | undefined {
  if (!path.startsWith('/')) return 'is not an absolute path';
  if (/[\u0000-\u001f\u007f]/.test(path)) return 'contains a control character';
  if (!path.isWellFormed()) return 'is not UTF-8';
  if (Buffer.byteLength(path) > maxPathBytes) return `is longer than ${maxPathBytes} bytes`;
  // The folder of the volumes has files of atomic with these names.
  if (/^\/+\.atomic/.test(path)) return 'begins with .atomic, which is a name of this program';
  return undefined;
}

function refuse(problem: string): AtomicError {
  return new AtomicError('CONFIG_INVALID', `Cannot start the image: ${toPrintable(problem, 400)}`, {
    hint: 'Correct Volumes in the configuration of the image, or add /exports/config.json.template to it.',
  });
}
