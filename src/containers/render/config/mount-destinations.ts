/** The paths in the image at which the runtime mounts and creates files for `config.json`. */
import { AtomicError } from '../../../base/errors.ts';
import { toPrintable } from '../../../base/printable.ts';
import type { ImageEntry } from '../../../image/image.ts';
import { isBind, type RuntimeConfig, type RuntimeMount, rejectMount } from './runtime-config.ts';

/**
 * Finds the type of one path of an image, without following a symlink.
 *
 * @param path absolute, simplified; its parents are folders
 * @returns `undefined` when there is nothing
 */
export type LookAtImage = (path: string) => ImageEntry | undefined;

/** The type of the source of a bind mount on the host; a `missing` source may have any type when the service starts. */
export type SourceKind = 'directory' | 'file' | 'missing';

/** As many as the kernel follows. */
const maxSymlinks = 40;

/**
 * Symlinks of the usual layouts of distributions, which a mount may follow: path -> target. Both runtimes follow them
 * inside the container. Every other symlink is a mistake in the image, or an attack, and is refused.
 */
const usualLinks: readonly (readonly [RegExp, RegExp])[] = [
  [/^\/(?:bin|sbin|lib|lib32|lib64|libx32)$/, /^\/usr\/(?:bin|sbin|lib|lib32|lib64|libx32)$/],
  [/^\/usr\/(?:sbin|lib64)$/, /^\/usr\/(?:bin|lib)$/],
  [/^\/var\/run$/, /^\/run$/],
  [/^\/var\/lock$/, /^\/run\/lock$/],
  [/^\/var\/tmp$/, /^\/tmp$/],
  [/^\/(?:home|opt|srv|mnt|root|usr\/local)$/, /^\/var\/(?:home|opt|srv|mnt|roothome|usrlocal)$/],
  [/^\/etc\/resolv\.conf$/, /^\/(?:run|tmp|usr\/lib\/systemd|etc\/resolvconf\/run)\/.*resolv\.conf$/],
  [/^\/etc\/resolvconf\/run$/, /^\/run\/resolvconf$/],
  [/^\/etc\/localtime$/, /^\/usr\/share\/zoneinfo\//],
  [/^\/etc\/os-release$/, /^\/usr\/lib\/os-release$/],
  [/^\/etc\/(?:ssl|pki)\//, /^\/(?:etc\/(?:ssl|pki|ca-certificates)|usr\/share\/(?:pki|ca-certificates))\//],
];

/** Device nodes that the runtimes create in `/dev` when nothing is mounted there. */
const deviceNodes = ['null', 'zero', 'full', 'random', 'urandom', 'tty', 'console'];
/** Symlinks that the runtimes create in `/dev`, with their targets. */
const deviceLinks: ReadonlyMap<string, readonly string[]> = new Map([
  ['fd', ['/proc/self/fd']],
  ['stdin', ['/proc/self/fd/0', '/dev/fd/0']],
  ['stdout', ['/proc/self/fd/1', '/dev/fd/1']],
  ['stderr', ['/proc/self/fd/2', '/dev/fd/2']],
  ['core', ['/proc/kcore']],
  ['ptmx', ['/dev/pts/ptmx']],
]);

/**
 * Checks every path of the image at which the runtime mounts or creates a file: the path must be missing, or be of the
 * right type and reached without a symlink. When `/dev` is a symlink, runc 1.1 and crun 1.8 create the device nodes at
 * its target, on the host; crun also follows a symlink at `/dev/console`. Paths below an earlier mount are not paths of
 * the image.
 *
 * @param sources kinds of the sources of bind mounts
 * @param path how errors call the configuration
 * @throws CONFIG_INVALID
 */
export function checkDestinations(
  config: RuntimeConfig,
  look: LookAtImage,
  sources: ReadonlyMap<RuntimeMount, SourceKind>,
  path: string,
): void {
  const covered = new Set<string>();
  const find = (where: string, destination: string): Place =>
    findPlace(look, covered, destination, (reason) => refuse(`${where} '${destination}': ${reason}`, path));
  config.mounts.forEach((mount, index) => {
    const reject = (reason: string): Error =>
      rejectMount(mount, 'destination', `'${mount.destination}'${reason}`, (text) =>
        refuse(`mounts[${index}].destination ${text}`, path),
      );
    const place = findPlace(look, covered, mount.destination, (reason) => reject(`: ${reason}`));
    if (place.path === '/') throw reject(' is the root of the container');
    const needed = isBind(mount) ? (sources.get(mount) ?? 'missing') : 'directory';
    if (needed === 'directory' && place.kind === 'file') throw reject(' is not a folder in the image');
    if (needed === 'file' && place.kind === 'directory') {
      throw reject(' is a folder in the image, and the source is a file');
    }
    // This mount copies the files of the image at that path into the new filesystem.
    if (!mount.options.includes('tmpcopyup')) covered.add(place.path);
  });
  for (const guarded of config.guardedPaths) find('linux.maskedPaths or linux.readonlyPaths', guarded);
  for (const device of config.devices) {
    if (find('linux.devices', device).kind === 'directory') {
      throw refuse(`linux.devices '${device}' is a folder in the image`, path);
    }
  }
  checkDeviceFolder(find, look, covered, path);
}

/** The runtimes use `/dev` with any mounts. */
function checkDeviceFolder(
  find: (where: string, destination: string) => Place,
  look: LookAtImage,
  covered: ReadonlySet<string>,
  path: string,
): void {
  const place = find('The folder for devices', '/dev');
  if (place.kind === 'file') throw refuse('/dev is not a folder in the image', path);
  if (place.kind !== 'directory') return;
  for (const name of deviceNodes) {
    if (find('The device', `/dev/${name}`).kind === 'directory') {
      throw refuse(`/dev/${name} is a folder in the image`, path);
    }
  }
  for (const [name, targets] of deviceLinks) {
    const entry = covered.has(`/dev/${name}`) ? undefined : look(`/dev/${name}`);
    if (entry?.kind !== 'symlink' || targets.includes(followLink('/dev', entry.target))) continue;
    throw refuse(describeLink(`/dev/${name}`, entry.target), path);
  }
}

export interface Place {
  /** The path after its symlinks are followed. */
  readonly path: string;
  /** `covered`: an earlier mount covers the path. */
  readonly kind: 'directory' | 'file' | 'missing' | 'covered';
}

/** Walks to a path of the image, through usual symlinks only. */
export function findPlace(
  look: LookAtImage,
  covered: ReadonlySet<string>,
  destination: string,
  fail: (reason: string) => Error,
): Place {
  const pending = splitPath(destination);
  if (pending.includes('..')) throw fail('the path must not contain ..');
  let at = '/';
  let kind: Place['kind'] = 'directory';
  let links = 0;
  for (let name = pending.shift(); name !== undefined; name = pending.shift()) {
    if (kind === 'file') throw fail(`${at} is not a folder in the image`);
    const next = at === '/' ? `/${name}` : `${at}/${name}`;
    if (kind === 'directory' && covered.has(next)) kind = 'covered';
    const entry: ImageEntry | undefined = kind === 'directory' ? look(next) : undefined;
    if (entry?.kind !== 'symlink') {
      at = next;
      if (kind === 'directory') kind = entry?.kind ?? 'missing';
      // A mount may also be at a path that an earlier mount has created, below a folder that the image does not have.
      else if (kind === 'missing' && covered.has(next)) kind = 'covered';
      continue;
    }
    links += 1;
    const target = followLink(at, entry.target);
    if (links > maxSymlinks || turnsBack(entry.target) || !isUsualLink(next, target))
      throw fail(describeLink(next, entry.target));
    pending.unshift(...splitPath(target));
    at = '/';
  }
  return { path: at, kind };
}

function isUsualLink(link: string, target: string): boolean {
  return usualLinks.some(([from, to]) => from.test(link) && to.test(target));
}

/** Whether a target has `..` after a name, which leads elsewhere when the name is a symlink. */
function turnsBack(target: string): boolean {
  const parts = splitPath(target);
  return parts.slice(parts.findIndex((part) => part !== '..')).includes('..');
}

/** As the kernel would in the container, where `..` ends at the root. */
function followLink(folder: string, target: string): string {
  const parts: string[] = [];
  for (const part of splitPath(target.startsWith('/') ? target : `${folder}/${target}`)) {
    if (part === '..') parts.pop();
    else parts.push(part);
  }
  return `/${parts.join('/')}`;
}

function splitPath(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}

function describeLink(path: string, target: string): string {
  return `${path} is a symlink to ${target} in the image`;
}

function refuse(problem: string, path: string): AtomicError {
  return new AtomicError(
    'CONFIG_INVALID',
    `Invalid configuration file.  ${toPrintable(problem, 400)} (${toPrintable(path)})`,
    {
      hint: 'Such a path could lead the runtime out of the container. Correct the image, or change the path in /exports/config.json.template.',
    },
  );
}
