/** `--volume` and `--tmpfs`: what is mounted in the container besides the mounts of its configuration. */
import { simplifyPath } from '../config/runtime-config.ts';
import { type OptionName, rejectOption } from './service-options.ts';

export interface Volume {
  /** Absolute path on the host. */
  readonly source: string;
  /** Absolute, simplified path in the container. */
  readonly destination: string;
  readonly isReadOnly: boolean;
}

export interface Tmpfs {
  readonly destination: string;
  /** Options of the mount: `size=64m`. */
  readonly options: readonly string[];
}

const volumeForm =
  'Write --volume SOURCE:DESTINATION or --volume SOURCE:DESTINATION:ro, with absolute paths.';
const tmpfsForm =
  'Write --tmpfs PATH or --tmpfs PATH:OPTIONS; the options are size=, mode=, uid=, gid=, ro, noexec, separated by commas.';

/** Words of podman and docker, and why they have no effect here. */
const unsupportedWords: Readonly<Record<string, string>> = {
  z: 'SELinux labels do not change',
  Z: 'SELinux labels do not change',
  U: 'owners of files do not change',
  O: 'overlays are not supported',
};

/** The folders of the kernel, and the root. Nothing can be mounted there, or below the first two. */
const kernelFolders = ['/proc', '/sys'];
const fixedFolders = ['/', '/dev', '/dev/pts', '/dev/mqueue', ...kernelFolders];

/** @throws BAD_VALUE */
export function parseVolume(value: string): Volume {
  const [source = '', destination = '', ...words] = value.split(':');
  const reject = (reason: string, hint = volumeForm): Error => rejectOption('volume', value, reason, hint);
  if (destination === '' || words.length > 1) {
    throw reject('it does not have the form SOURCE:DESTINATION[:ro]');
  }
  if (!source.startsWith('/')) {
    throw reject(
      `the source '${source}' is not an absolute path`,
      `${volumeForm} There are no named volumes: name a folder of the host.`,
    );
  }
  const [word = 'rw'] = words;
  if (word !== 'ro' && word !== 'rw') {
    const why = unsupportedWords[word];
    throw reject(`the option '${word}' is not supported${why === undefined ? '' : `: ${why}`}`);
  }
  if (value.includes('\0')) throw reject('it contains a NUL character');
  if (simplifyPath(source) === '/') {
    throw reject('the source is the root of the host', 'Name a folder below it.');
  }
  const inside = checkDestination('volume', value, destination);
  return { source: simplifyTail(source), destination: inside, isReadOnly: word === 'ro' };
}

/** @throws BAD_VALUE */
export function parseTmpfs(value: string): Tmpfs {
  const separator = value.indexOf(':');
  const path = separator < 0 ? value : value.slice(0, separator);
  const words = separator < 0 ? [] : value.slice(separator + 1).split(',');
  const destination = checkDestination('tmpfs', value, path);
  for (const word of words) {
    if (isTmpfsOption(word)) continue;
    throw rejectOption('tmpfs', value, `the option '${word}' is not supported`, tmpfsForm);
  }
  return { destination, options: words };
}

function isTmpfsOption(word: string): boolean {
  return (
    ['ro', 'rw', 'exec', 'noexec'].includes(word) ||
    /^size=[1-9][0-9]{0,15}(?:[kmg]|%)?$/i.test(word) ||
    /^mode=[0-7]{3,4}$/.test(word) ||
    /^[ug]id=[0-9]{1,9}$/.test(word)
  );
}

/** `..` stays: it may lead through a symlink. */
function simplifyTail(path: string): string {
  return path.replace(/(.)\/+$/, '$1');
}

/** @returns the simplified path */
export function checkDestination(option: OptionName, value: string, path: string): string {
  const reject = (reason: string, hint: string): Error => rejectOption(option, value, reason, hint);
  const absolute = 'Name a folder or a file of the container by its absolute path.';
  if (!path.startsWith('/')) throw reject(`'${path}' is not an absolute path`, absolute);
  if (path.split('/').includes('..')) throw reject(`'${path}' contains ..`, absolute);
  if (path.includes('\0')) throw reject('it contains a NUL character', absolute);
  const destination = simplifyPath(path);
  const isFixed =
    fixedFolders.includes(destination) ||
    kernelFolders.some((folder) => destination.startsWith(`${folder}/`));
  if (!isFixed) return destination;
  throw destination === '/'
    ? reject('the destination is the root of the container', 'Choose a folder below it.')
    : reject(`${destination} belongs to the kernel`, 'Choose another destination.');
}
