/**
 * Folders in `/run` that packages do not contain, because `/run` is empty at boot: systemd makes them, as tmpfiles.d(5) and
 * `RuntimeDirectory=` of units say. In a container without systemd, the service does not find them.
 */
import type { FindOwner } from '../../../image/user-lookup.ts';
import { listUnitSettings } from '../unit/unit-settings.ts';

/** A folder of the container, in memory. */
export interface RunFolder {
  /** Below `/run`. */
  readonly path: string;
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** Longer paths are left out. Real ones have 40 bytes. */
const maxPathLength = 128;

/** No service of a plain image needs the folders of systemd itself. */
const ofSystemd = ['/run/systemd', '/run/user', '/run/log', '/run/udev', '/run/credentials'];

/** Lists the folders of a tmpfiles.d file. Lines with specifiers, quotes or unknown users are left out. */
export function listDeclaredFolders(text: string, findOwner: FindOwner): readonly RunFolder[] {
  return text.split('\n').flatMap((line) => {
    const [type = '', path = '', mode = '-', user = '-', group = '-'] = line.trim().split(/\s+/);
    if (!/^[dDvqQ][!+=~^$-]*$/.test(type)) return [];
    return buildFolder(path, mode.replace(/^[:~]+/, ''), findOwner(unset(user), unset(group) || '0'));
  });
}

/** Lists the `RuntimeDirectory=` of a unit, which the user of the unit owns. */
export function listUnitFolders(unit: string, findOwner: FindOwner): readonly RunFolder[] {
  const service = listUnitSettings(unit).filter(({ section }) => section === 'Service');
  const read = (key: string): string => service.findLast((setting) => setting.key === key)?.value ?? '';
  const owner = findOwner(read('User'), read('Group'));
  return service
    .filter(({ key }) => key === 'RuntimeDirectory')
    .flatMap(({ value }) => value.split(/\s+/))
    .flatMap((name) => buildFolder(`/run/${name}`, read('RuntimeDirectoryMode') || '-', owner));
}

/**
 * Lists the commands that a unit runs before its service, except those of the service's own program, which check its files.
 *
 * @param command of the image; when the unit starts another program, the result is empty
 */
export function listPreparations(unit: string, command: string): readonly string[] {
  const lines = (wanted: string): readonly string[] =>
    listUnitSettings(unit)
      .filter(({ section, key }) => section === 'Service' && key === wanted)
      .map(({ value }) => value.replace(/^[-@:+!|\s]+/, ''));
  const isOwn = (line: string): boolean => baseName(line.split(/\s/, 1)[0] ?? '') === baseName(command);
  return lines('ExecStart').some(isOwn)
    ? lines('ExecStartPre').filter((line) => line !== '' && !isOwn(line))
    : [];
}

function buildFolder(written: string, mode: string, owner: ReturnType<FindOwner>): readonly RunFolder[] {
  if (written.length > maxPathLength) return [];
  const path = written.replace(/^\/var\/run\//, '/run/').replace(/\/+$/, '');
  const isOdd = !/^\/run(?:\/(?!\.\.?(?:\/|$))[\w.@+:-]+)+$/.test(path);
  const isForeign = ofSystemd.some((folder) => path === folder || path.startsWith(`${folder}/`));
  if (isOdd || isForeign || owner === undefined || !/^(?:-|[0-7]{3,4})$/.test(mode)) return [];
  return [{ path, mode: mode === '-' ? 0o755 : Number.parseInt(mode, 8), ...owner }];
}

function unset(field: string): string {
  return field === '-' ? '' : field.replace(/^:/, '');
}

function baseName(program: string): string {
  return program.slice(program.lastIndexOf('/') + 1);
}
