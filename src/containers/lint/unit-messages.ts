/** Parses the messages of `systemd-analyze verify` about a unit. */

interface UnitMessages {
  /** The reasons why systemd does not start the unit; empty when it does. */
  readonly errors: readonly string[];
  /** Settings that it ignores, and obsolete settings. */
  readonly warnings: readonly string[];
  /** Programs of the unit that cannot be executed. */
  readonly programs: readonly { readonly path: string; readonly problem: string }[];
}

/** Said of the unit itself, after the reasons: systemd refuses to start it. */
const refused = /^Unit \S+ (?:has a bad unit file setting\.|failed to load properly)/;
/** Such a line says that systemd goes on. Its reader finds it in the unit; other lines are about the unit as a whole. */
const inFile = /^(\/.*?):(\d+): (.*)$/;
const notExecutable = /^\S+: Command (.*) is not executable: (.*)$/;

/**
 * Divides the messages into errors and warnings. Its exit status does not: it is 1 for a key that systemd ignores, too.
 *
 * @param output on standard error
 * @param file the unit, as it was named; messages about other files, such as drop-ins of the host, are left out
 * @param isExpected whether the update or the install brings a program, so that it may be missing now
 */
export function readUnitMessages(
  output: string,
  file: string,
  isExpected: (program: string) => boolean,
): UnitMessages {
  const lines = output
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const messages = lines
    .filter((line) => !refused.test(line) && !notExecutable.test(line))
    .map((line) => describeLine(line, file))
    .filter((line) => line !== undefined);
  const programs = lines.flatMap((line) => {
    const [, path, problem] = notExecutable.exec(line) ?? [];
    return path === undefined || problem === undefined || isExpected(path) ? [] : [{ path, problem }];
  });
  if (lines.some((line) => refused.test(line))) {
    return { errors: messages.length > 0 ? messages : ['it has a bad setting'], warnings: [], programs };
  }
  return { errors: [], warnings: messages, programs };
}

function describeLine(line: string, file: string): string | undefined {
  const [, place, number, problem] = inFile.exec(line) ?? [];
  // The marker, which is line 1, is not in the template.
  if (place !== undefined) return place === file ? `line ${Number(number) - 1}: ${problem}` : undefined;
  return line.replace(/^\S+\.service: /, '');
}
