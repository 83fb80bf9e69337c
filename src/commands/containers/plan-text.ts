import { formatArgv } from '../../base/format-argv.ts';
import { toPrintable } from '../../base/printable.ts';
import { escapeText } from '../../cli/output/escape-text.ts';
import { formatPrivileges } from '../../containers/consent/format-privileges.ts';
import type { InstallPlan, PlannedFile } from '../../containers/container.ts';

/**
 * Formats the output of `install --display`: the container, the whole text of every file, and every command. A line that
 * begins with `#` describes the lines after it.
 */
export function formatInstallPlan(plan: InstallPlan): string {
  const heading = [
    `# Container ${plan.name} from image ${toPrintable(plan.image)} (${plan.record.revision})`,
    ...formatPrivileges(plan.asks).map((line) => `# Asks: ${line}`),
    `Extracting to ${toPrintable(plan.deployment)}`,
    '',
  ];
  const commands = plan.commands.map((argv) => toPrintable(formatArgv(argv)));
  return [
    ...heading,
    ...plan.files.flatMap((file) => [...formatFile(file), '']),
    '# Commands',
    ...commands,
    '',
  ].join('\n');
}

function formatFile({ path, mode, content }: PlannedFile): string[] {
  const body = escapeText(content.endsWith('\n') ? content.slice(0, -1) : content);
  return [`# File ${toPrintable(path)} (mode ${mode.toString(8).padStart(4, '0')})`, body];
}
