import { AtomicError } from '../../../base/errors.ts';
import { toPrintable } from '../../../base/printable.ts';
import { type RuntimeMount, simplifyPath } from '../config/runtime-config.ts';
import type { ServiceChanges } from './parse-options.ts';
import { formatOption } from './service-options.ts';

/** A mount of an option, and the option as messages name it. */
interface OptionMount {
  readonly option: string;
  readonly mount: RuntimeMount;
}

/** The mounts of `--volume` and `--tmpfs`. */
export function buildOptionMounts({ volumes, tmpfs }: ServiceChanges): readonly OptionMount[] {
  return [
    ...volumes.map(({ source, destination, isReadOnly }) => ({
      option: formatOption('volume', toPrintable(`${source}:${destination}${isReadOnly ? ':ro' : ''}`)),
      mount: {
        ...{ destination, type: 'bind', source },
        // `ro` protects only the mount itself, `rro` also the mounts below it.
        options: ['rbind', 'rprivate', 'nosuid', 'nodev', ...(isReadOnly ? ['ro', 'rro'] : ['rw'])],
      },
    })),
    ...tmpfs.map(({ destination, options }) => ({
      option: formatOption('tmpfs', toPrintable(destination)),
      mount: {
        ...{ destination, type: 'tmpfs', source: 'tmpfs' },
        options: ['nosuid', 'nodev', ...completeTmpfs(options), 'tmpcopyup'],
      },
    })),
  ];
}

/**
 * Adds mounts after those of the configuration.
 *
 * @param isDefault whether atomic has made the configuration: its folders in memory give way to the option
 * @throws BAD_VALUE when the image mounts something at the destination, or below it
 */
export function applyMounts(
  mounts: readonly RuntimeMount[],
  added: readonly OptionMount[],
  isDefault: boolean,
): readonly RuntimeMount[] {
  const kept = mounts.filter((mount) => {
    const at = simplifyPath(mount.destination);
    const other = added.find(({ mount: { destination } }) => isAtOrBelow(at, destination));
    if (other === undefined) return true;
    const isReplaced = at === other.mount.destination;
    if (isDefault && (isReplaced || mount.type === 'tmpfs')) return false;
    throw new AtomicError(
      'BAD_VALUE',
      `${other.option}: the configuration of the image ${isReplaced ? 'mounts' : 'has a mount below it at'} ${toPrintable(at)}${isReplaced ? ' itself' : ', which it would hide'}`,
      {
        hint: isReplaced
          ? 'Set a variable of the image with --set, or replace its mounts with a file in /etc/atomic/NAME.d.'
          : 'Choose a destination that is not above a mount of the image.',
      },
    );
  });
  return [...kept, ...added.map(({ mount }) => mount)];
}

function isAtOrBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

/** Every user may write to it, as with docker, unless the option names a mode. */
function completeTmpfs(options: readonly string[]): readonly string[] {
  return options.some((option) => option.startsWith('mode=')) ? options : [...options, 'mode=1777'];
}
