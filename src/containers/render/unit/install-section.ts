/** The section `[Install]` of a unit: the names and units that `systemctl enable` also enables (systemd.unit(5)). */
import { listUnitSettings } from './unit-lines.ts';

interface InstallNames {
  /** Other names that the unit gets. */
  readonly aliases: readonly string[];
  /** Other units that are enabled and disabled with it. */
  readonly also: readonly string[];
}

/** Compares the symlinks that two units of one name get when they are enabled. */
export function installsAlike(first: string, second: string): boolean {
  const list = (unit: string): string =>
    listUnitSettings(unit)
      .filter(({ section }) => section === 'Install')
      .map(({ key, value }) => `${key}=${value}`)
      .join('\n');
  return list(first) === list(second);
}

/** Setting -> the end of the folder in which a symlink makes another unit start this one. */
const enablingFolders = { WantedBy: '.wants', RequiredBy: '.requires', UpheldBy: '.upholds' } as const;

/**
 * Lists the symlinks of `systemctl enable`, relative to the folder of the units. Words with specifiers or quotes are left out.
 *
 * @param name of the unit, with its type
 */
export function listEnablingLinks(unit: string, name: string): readonly string[] {
  const isPlain = (word: string) => /^[A-Za-z0-9:_.@-]+$/.test(word);
  const links = Object.entries(enablingFolders).flatMap(([key, end]) =>
    listWords(unit, key)
      .filter(isPlain)
      .map((word) => `${word}${end}/${name}`),
  );
  return [...links, ...listWords(unit, 'Alias').filter(isPlain)];
}

/** Lists the words of all `Alias=` and `Also=` lines, with their quotes, specifiers and escapes. */
export function parseInstallNames(unit: string): InstallNames {
  return { aliases: listWords(unit, 'Alias'), also: listWords(unit, 'Also') };
}

function listWords(unit: string, key: string): readonly string[] {
  return listUnitSettings(unit)
    .filter((setting) => setting.section === 'Install' && setting.key === key && setting.value !== '')
    .flatMap(({ value }) => value.split(/\s+/));
}
