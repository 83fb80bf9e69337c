/** The lines of a unit as systemd reads them (systemd.syntax(7)). */

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
