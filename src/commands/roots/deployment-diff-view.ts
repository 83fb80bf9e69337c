/** The output of `diff NAME`: changed files, and the other differences between the deployments. */
import { escapeText } from '../../cli/output/escape-text.ts';
import type { DeploymentChanges, TextDifference } from '../../containers/inspect/container-description.ts';
import type { FileChange } from '../../store/file-change.ts';
import { formatImageEntries, textNames } from '../containers/changes-text.ts';
import { formatEntries } from '../containers/entry-text.ts';
import { buildChangesJson } from '../containers/inspect-json.ts';
import { buildDiffJson, formatDiff } from './diff-view.ts';

/** @returns an empty text without differences */
export function formatDeploymentDiff(
  name: string,
  files: readonly FileChange[],
  changes: DeploymentChanges,
): string {
  const entries = formatEntries(formatImageEntries(changes));
  const heading = entries === '' ? '' : `From ${name}.${changes.from} to ${name}.${changes.to}:\n${entries}`;
  const parts = [formatDiff(files), heading, ...changes.texts.map(formatText)];
  return parts.filter((part) => part !== '').join('\n');
}

export function buildDeploymentDiffJson(
  files: readonly FileChange[],
  changes: DeploymentChanges,
): Readonly<Record<string, unknown>> {
  return { ...buildDiffJson(files), deployments: buildChangesJson(changes) };
}

function formatText({ role, lines }: TextDifference): string {
  const marked = lines.map(({ change, text }) => `  ${change === 'added' ? '+' : '-'}${escapeText(text)}\n`);
  return `${textNames[role]}:\n${marked.join('')}`;
}
