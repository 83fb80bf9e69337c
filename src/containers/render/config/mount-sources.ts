/**
 * Finds the files of the host that the mounts of `config.json` show to the service, and whether the service can change
 * them.
 */
import { isBind, type RuntimeConfig, type RuntimeMount } from './runtime-config.ts';

export interface MountSource {
  /** `device`: a disk whose filesystem is mounted. */
  readonly kind: 'path' | 'device';
  /** For messages: `mounts[2].source`. */
  readonly where: string;
  readonly mount: RuntimeMount;
  /** The source as written; a relative path begins at the folder of the deployment. */
  readonly path: string;
  readonly isWritable: boolean;
  /** Whether mounts below the source are shown too; `read-only` when the protection of the source covers them. */
  readonly submounts: 'hidden' | 'writable' | 'read-only';
}

/** Options of overlays whose value is a folder, or several with colons between them. */
const folderOption = /^(lowerdir|datadir|upperdir|workdir)\+?=(.*)$/s;

/** Lists the sources of all mounts: of bind mounts, the folders of overlays, and devices that hold a filesystem. */
export function listMountSources(config: RuntimeConfig): readonly MountSource[] {
  return config.mounts.flatMap((mount, index) => {
    const source: MountSource = {
      kind: isBind(mount) ? 'path' : 'device',
      where: `mounts[${index}].source`,
      mount,
      path: mount.source,
      isWritable: !isReadOnlyMount(mount.options),
      submounts: findSubmounts([mount.type, ...mount.options]),
    };
    const isNamed = isBind(mount) || mount.source.startsWith('/');
    return [...(isNamed ? [source] : []), ...listOverlayFolders(mount, `mounts[${index}].options`)];
  });
}

/** Contradicting options count as writable: runc obeys the last of `ro` and `rw`, crun the first. */
export function isReadOnlyMount(options: readonly string[]): boolean {
  const has = (...words: readonly string[]) => words.some((word) => options.includes(word));
  return has('ro', 'rro') && !has('rw', 'rrw');
}

/** `ro` protects only the mount itself, `rro` also the mounts below it. @param words type and options of a mount */
export function findSubmounts(words: readonly string[]): MountSource['submounts'] {
  if (!words.includes('rbind')) return 'hidden';
  return words.includes('rro') && isReadOnlyMount(words) ? 'read-only' : 'writable';
}

function listOverlayFolders(mount: RuntimeMount, where: string): readonly MountSource[] {
  return readOverlayFolders(mount.options).map((folder) => ({
    ...folder,
    kind: 'path',
    where,
    mount,
    submounts: 'hidden',
  }));
}

/** Reads the folders of an overlay as written. The service can change files in two of them. */
export function readOverlayFolders(
  options: readonly string[],
): readonly Pick<MountSource, 'path' | 'isWritable'>[] {
  return options
    .flatMap((option) => option.split(/(?<!\\),/))
    .flatMap((option) => {
      const [, name = '', value = ''] = folderOption.exec(option) ?? [];
      return value
        .split(/(?<!\\):/)
        .filter((path) => path !== '')
        .map((path) => ({
          path: path.replace(/\\([\\:,])/g, '$1'),
          isWritable: name === 'upperdir' || name === 'workdir',
        }));
    });
}
