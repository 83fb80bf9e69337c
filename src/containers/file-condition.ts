/**
 * Compares the files of a container with the copies in its deployment: its unit and its tmpfiles.d file on the host, and
 * `config.json`, which an administrator may edit.
 */
import { lstatSync, readFileSync, readlinkSync } from 'node:fs';
import { isErrno, noPath, toFileError, tolerateMissing } from '../base/file-error.ts';
import type { Host } from '../host/host.ts';
import { buildContainerPaths, pairUnits } from './deployment.ts';
import { parseMarker } from './render/unit/generated-marker.ts';
import { listEnablingLinks } from './render/unit/unit-settings.ts';

export type FileCondition =
  | 'as installed'
  | 'missing'
  /** A symlink to /dev/null, as `systemctl mask` makes it. */
  | 'masked'
  /** It is the file of the container, and its text was changed. */
  | 'edited'
  /** It is not the file of the container. */
  | 'replaced';

/** @param isOwn whether a changed text is still that of the container. @throws file errors */
export function compareWithCopy(
  path: string,
  copy: string | undefined,
  isOwn: (text: string) => boolean,
): FileCondition {
  try {
    const status = lstatSync(path, { throwIfNoEntry: false });
    if (status === undefined) return copy === undefined ? 'as installed' : 'missing';
    if (status.isSymbolicLink()) return readlinkSync(path) === '/dev/null' ? 'masked' : 'replaced';
    if (!status.isFile()) return 'replaced';
    const text = readFileSync(path, 'utf8');
    if (text === copy) return 'as installed';
    return copy !== undefined && isOwn(text) ? 'edited' : 'replaced';
  } catch (error) {
    if (isErrno(error, ...noPath)) return 'missing';
    throw toFileError(error, `read ${path}`);
  }
}

/** Whether the first line of a unit or a tmpfiles.d file names the container. */
export function isMarkedFor({ locations }: Host, name: string): (text: string) => boolean {
  return (text) => {
    const marker = parseMarker(text);
    return marker?.name === name && (marker.checkouts ?? locations.checkouts) === locations.checkouts;
  };
}

/** @param text of the unit. @returns undefined when the unit has no `[Install]` section that tells */
export function isEnabledAtBoot({ locations }: Host, unit: string, text: string): boolean | undefined {
  const links = listEnablingLinks(text, unit);
  if (links.length === 0) return undefined;
  return links.some((link) => {
    const path = `${locations.units}/${link}`;
    return tolerateMissing(() => lstatSync(path), [...noPath, 'EACCES']) !== undefined;
  });
}

/** What a person should know about the unit of a container. */
export type UnitNote = 'no unit' | 'masked' | 'edited' | 'disabled';

/**
 * Lists what is unusual about the units of a container with a service. It reads two files for each and looks at a few names,
 * so that a list of containers can have it.
 */
export function listUnitNotes(host: Host, name: string): readonly UnitNote[] {
  const { link } = buildContainerPaths(host.locations, name);
  const notes = pairUnits(host.locations, name, link).flatMap(({ unit, path, copy }): readonly UnitNote[] => {
    const text = tolerateMissing(() => readFileSync(copy, 'utf8'), ['ENOENT', 'EACCES']);
    if (text === undefined) return [];
    const condition = compareWithCopy(path, text, isMarkedFor(host, name));
    if (condition === 'missing') return ['no unit'];
    if (condition === 'masked') return ['masked'];
    const isDisabled = isEnabledAtBoot(host, unit, text) === false;
    return [
      ...(condition === 'as installed' ? [] : (['edited'] as const)),
      ...(isDisabled ? (['disabled'] as const) : []),
    ];
  });
  return [...new Set(notes)];
}
