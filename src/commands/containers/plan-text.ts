import { AtomicError } from '../../base/errors.ts';
import { formatArgv } from '../../base/format-argv.ts';
import { toPrintable } from '../../base/printable.ts';
import { escapeText } from '../../cli/output/escape-text.ts';
import { formatPrivileges } from '../../containers/consent/format-privileges.ts';
import type { DeploymentPlan, InstallPlan, PlannedFile } from '../../containers/container.ts';
import type { PlannedHostFile } from '../../containers/render/hostfiles/host-file.ts';
import { formatOptions } from '../../containers/render/options/service-options.ts';

/**
 * Formats the output of `install --display`: the container, the whole text of every file, and every command. A line that
 * begins with `#` describes the lines after it.
 */
export function formatInstallPlan(plan: InstallPlan): string {
  return formatPlan(plan, [`Extracting to ${toPrintable(plan.deployment)}`]);
}

/** As `formatInstallPlan`. @param steps what is done before the files are written */
export function formatPlan(plan: DeploymentPlan, steps: readonly string[]): string {
  const heading = [
    `# Container ${plan.name} from image ${toPrintable(plan.image)} (${plan.record.revision})`,
    ...formatOptions(plan.record.options).map((line) => `# Option: ${toPrintable(line)}`),
    ...Object.keys(plan.record.patches).map((name) => `# Patch: ${toPrintable(name)}`),
    ...formatPrivileges(plan.asks).map((line) => `# Asks: ${line}`),
    ...steps,
    '',
  ];
  const commands = plan.commands.map((argv) => toPrintable(formatArgv(argv)));
  return [
    ...heading,
    ...plan.files.flatMap((file) => [...formatFile(file), '']),
    ...plan.hostFiles.map(formatHostFile),
    ...plan.keptFiles.map((path) => `# File ${toPrintable(path)} already exists`),
    ...plan.volumes.map(formatVolume),
    ...(plan.hostFiles.length + plan.keptFiles.length + plan.volumes.length > 0 ? [''] : []),
    '# Commands',
    ...commands,
    '',
  ].join('\n');
}

/**
 * Formats one file of `install --display=FILE`, as it would be written.
 *
 * @param wanted a name of `render`, or the path of the file
 * @throws BAD_VALUE for a file that is not in the plan
 */
export function formatPlannedFile({ name, files }: InstallPlan, wanted: string): string {
  const found = files.find(({ role, path }) => wanted === path || wanted === fileNames[role]);
  if (found !== undefined)
    return escapeText(found.content.endsWith('\n') ? found.content : `${found.content}\n`);
  throw new AtomicError('BAD_VALUE', `An install of ${name} writes no file '${toPrintable(wanted, 200)}'`, {
    hint: `The files are ${files.map(({ role }) => fileNames[role]).join(', ')}.`,
  });
}

/** The names that `render` uses too. */
const fileNames: Readonly<Record<PlannedFile['role'], string>> = {
  config: 'config.json',
  unit: 'service',
  tmpfiles: 'tmpfiles',
  info: 'info',
};

export function formatReplaced({ name, image, record }: InstallPlan): string {
  return `Replaced ${name} with ${toPrintable(image)} (${record.revision.slice(0, 12)})\n`;
}

/** The content is that of the image, so one line describes it. */
function formatHostFile({ path, kind, mode, uid, gid, size, sha256, target }: PlannedHostFile): string {
  const owner = `mode ${mode.toString(8).padStart(4, '0')}, owner ${uid}:${gid}`;
  const shown = toPrintable(path);
  if (kind === 'symlink') return `# Host symlink ${shown} -> ${toPrintable(target ?? '')}`;
  if (kind === 'directory') return `# Host folder ${shown} (${owner})`;
  return `# Host file ${shown} (${owner}, ${size} bytes, sha256 ${sha256})`;
}

function formatVolume({ path, folder, isNew }: DeploymentPlan['volumes'][number]): string {
  return `# Volume ${toPrintable(path)} in ${toPrintable(folder)}${isNew ? '' : ', which exists'}`;
}

function formatFile({ path, mode, content }: PlannedFile): string[] {
  const body = escapeText(content.endsWith('\n') ? content.slice(0, -1) : content);
  return [`# File ${toPrintable(path)} (mode ${mode.toString(8).padStart(4, '0')})`, body];
}
