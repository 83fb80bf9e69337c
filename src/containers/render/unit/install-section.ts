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

/** Lists the words of all `Alias=` and `Also=` lines, with their quotes, specifiers and escapes. */
export function parseInstallNames(unit: string): InstallNames {
  const settings = listUnitSettings(unit).filter(({ section }) => section === 'Install');
  const listWords = (key: string) =>
    settings
      .filter((setting) => setting.key === key && setting.value !== '')
      .flatMap(({ value }) => value.split(/\s+/));
  return { aliases: listWords('Alias'), also: listWords('Also') };
}
