/** The section `[Install]` of a unit: what `systemctl enable` does beside enabling the unit itself (systemd.unit(5)). */

export interface InstallNames {
  /** Other names that the unit gets. */
  readonly aliases: readonly string[];
  /** Other units that are enabled and disabled with it. */
  readonly also: readonly string[];
}

/** Lists the words of all `Alias=` and `Also=` lines, with their quotes, specifiers and escapes. */
export function parseInstallNames(unit: string): InstallNames {
  const words: Record<string, string[]> = { Alias: [], Also: [] };
  let section = '';
  for (const line of joinLines(unit)) {
    const header = /^\[(.*)\]$/.exec(line)?.[1];
    if (header !== undefined) section = header;
    if (section !== 'Install') continue;
    const equals = line.indexOf('=');
    const value = line.slice(equals + 1).trim();
    if (equals >= 0 && value !== '') words[line.slice(0, equals).trim()]?.push(...value.split(/\s+/));
  }
  return { aliases: words.Alias ?? [], also: words.Also ?? [] };
}

/**
 * The lines as systemd reads them: a carriage return ends one, too; a backslash at the end goes on with the next line,
 * and comments between the two do not count. `trim` also removes the byte order mark, which systemd skips.
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
