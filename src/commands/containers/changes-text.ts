/** Formats a summary of the differences between two deployments of a container. */
import { formatCount } from '../../base/format-count.ts';
import { formatPrivileges } from '../../containers/consent/format-privileges.ts';
import type {
  DeploymentChanges,
  TextDifference,
  ValueDifference,
} from '../../containers/inspect/container-description.ts';
import type { LabelledText } from './entry-text.ts';

/** The longest value of each side. */
const MAX_VALUE = 200;

export const textNames: Readonly<Record<TextDifference['role'], string>> = {
  unit: 'Unit',
  config: 'config.json',
  tmpfiles: 'tmpfiles.d',
};

/** At least one entry: a line also says that nothing differs. */
export function formatChangeEntries(changes: DeploymentChanges): readonly LabelledText[] {
  const { texts } = changes;
  const entries = [
    ...formatImageEntries(changes),
    ...texts.map(({ role, lines }) => ({ label: textNames[role], lines: [countLines(lines)] })),
  ];
  return entries.some(({ lines }) => lines.length > 0)
    ? entries
    : [{ label: 'None', lines: ['image, values, unit and configuration are equal'] }];
}

/** All differences except those of the rendered files. */
export function formatImageEntries(changes: DeploymentChanges): readonly LabelledText[] {
  const { image, runtime, values, hostFiles, gained, dropped } = changes;
  const hasOtherName = image !== undefined && image.before.name !== image.after.name;
  const hasOtherId = image !== undefined && image.before.id !== image.after.id;
  return [
    { label: 'Image', lines: hasOtherName ? [`${image.before.name} -> ${image.after.name}`] : [] },
    {
      label: 'Image ID',
      lines: hasOtherId ? [`${image.before.id.slice(0, 12)} -> ${image.after.id.slice(0, 12)}`] : [],
    },
    { label: 'Runtime', lines: runtime === undefined ? [] : [`${runtime.before} -> ${runtime.after}`] },
    { label: 'Values', lines: values.map(formatValue) },
    { label: 'Host files', lines: hostFiles.map(({ change, path }) => `${change}: ${path}`) },
    { label: 'Asks also', lines: formatPrivileges(gained) },
    { label: 'Asks no more', lines: formatPrivileges(dropped) },
  ];
}

function formatValue({ name, before, after }: ValueDifference): string {
  return `${name}: ${formatSide(before)} -> ${formatSide(after)}`;
}

function formatSide(value: string | number | undefined): string {
  if (value === undefined) return 'none';
  return value === '' ? "''" : String(value).slice(0, MAX_VALUE);
}

function countLines(lines: TextDifference['lines']): string {
  const count = (kind: 'added' | 'removed') => lines.filter(({ change }) => change === kind).length;
  return `${formatCount(count('added'), 'line')} added, ${count('removed')} removed`;
}
