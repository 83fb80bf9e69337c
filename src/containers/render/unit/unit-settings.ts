/** The settings of a unit as systemd reads them (systemd.syntax(7)), and comparisons of two units by their settings. */

/** One `KEY=VALUE` line; the value is unchanged, without the blanks around it. */
interface UnitSetting {
  readonly section: string;
  readonly key: string;
  readonly value: string;
}

/** Lists the settings of all sections in their order. Other lines are left out. */
export function listUnitSettings(unit: string): readonly UnitSetting[] {
  const settings: UnitSetting[] = [];
  let section = '';
  for (const line of joinLines(unit)) {
    const header = /^\[(.*)\]$/.exec(line)?.[1];
    if (header !== undefined) section = header;
    const equals = line.indexOf('=');
    if (header !== undefined || equals < 0) continue;
    settings.push({ section, key: line.slice(0, equals).trim(), value: line.slice(equals + 1).trim() });
  }
  return settings;
}

/**
 * A carriage return also ends a line. After a backslash at its end, a line continues on the next line; comments between
 * the two are skipped. `trim` also removes the byte order mark, which systemd skips.
 */
function joinLines(text: string): readonly string[] {
  const lines: string[] = [];
  let begun = '';
  for (const line of text.split(/[\n\r\0]/)) {
    if (/^[ \t]*[#;]/.test(line)) continue;
    if (/(?:^|[^\\])(?:\\\\)*\\$/.test(line)) begun += `${line.slice(0, -1)} `;
    else {
      lines.push((begun + line).trim());
      begun = '';
    }
  }
  return [...lines, begun.trim()];
}

/** What `systemctl enable` enables with a unit, by its section `[Install]` (systemd.unit(5)). */
interface InstallNames {
  /** Other names that the unit gets. */
  readonly aliases: readonly string[];
  /** Other units that are enabled and disabled with it. */
  readonly also: readonly string[];
}

/** Compares the symlinks that two units of one name get when they are enabled. */
export function installsAlike(first: string, second: string): boolean {
  return areAlike(first, second, ({ section }) => section === 'Install');
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
  const settings = listUnitSettings(unit);
  const links = Object.entries(enablingFolders).flatMap(([key, end]) =>
    listWords(settings, key)
      .filter(isPlain)
      .map((word) => `${word}${end}/${name}`),
  );
  return [...links, ...listWords(settings, 'Alias').filter(isPlain)];
}

/** Lists the words of all `Alias=` and `Also=` lines, with their quotes, specifiers and escapes. */
export function parseInstallNames(unit: string): InstallNames {
  const settings = listUnitSettings(unit);
  return { aliases: listWords(settings, 'Alias'), also: listWords(settings, 'Also') };
}

function listWords(settings: readonly UnitSetting[], key: string): readonly string[] {
  return settings
    .filter((setting) => setting.section === 'Install' && setting.key === key && setting.value !== '')
    .flatMap(({ value }) => value.split(/\s+/));
}

/** Settings of `[Service]` that determine how systemd stops a service, and which of its processes systemd watches. */
const stopKeys = new Set([
  ...['Type', 'PIDFile', 'ExecStop', 'ExecStopPost', 'KillMode', 'KillSignal', 'RestartKillSignal'],
  ...['SendSIGHUP', 'SendSIGKILL', 'FinalKillSignal', 'TimeoutStopSec', 'TimeoutSec', 'TimeoutAbortSec'],
  ...['User', 'Group', 'Delegate', 'Slice', 'RemainAfterExit', 'NotifyAccess', 'RootDirectory'],
]);

/**
 * Whether systemd can stop a service with the unit of another version of it. Commands in the folders of two deployments
 * differ.
 */
export function stopsAlike(first: string, second: string): boolean {
  return areAlike(first, second, ({ section, key }) => section === 'Service' && stopKeys.has(key));
}

function areAlike(first: string, second: string, isCompared: (setting: UnitSetting) => boolean): boolean {
  const list = (unit: string): string =>
    listUnitSettings(unit)
      .filter(isCompared)
      .map(({ key, value }) => `${key}=${value}`)
      .join('\n');
  return list(first) === list(second);
}

/** Whether the service of a unit has a terminal: systemd opens one for it, or its command passes one to the runtime. */
export function connectsTerminal(unit: string): boolean {
  return listUnitSettings(unit).some(
    ({ section, key, value }) =>
      section === 'Service' &&
      ((key === 'StandardInput' && value.startsWith('tty')) ||
        (key.startsWith('ExecStart') && value.includes('--console-socket'))),
  );
}
