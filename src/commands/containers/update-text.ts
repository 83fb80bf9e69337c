/** The output of `containers update` and `containers rollback`. */

import { formatTable } from '../../cli/output/format-table.ts';
import { formatPrivileges } from '../../containers/consent/format-privileges.ts';
import type { UpdateResult } from '../../containers/update/update-request.ts';
import { formatInstallPlan } from './plan-text.ts';

/** The result for one container. */
export type UpdateLine =
  | { readonly outcome: 'held'; readonly name: string }
  | UpdateResult
  | {
      readonly outcome: 'failed';
      readonly name: string;
      readonly error: { readonly code: string; readonly message: string };
    };

/** Formats the result for one container, in the words of the original if it had any (compatibility C-02). */
export function formatUpdate(line: UpdateLine): string {
  switch (line.outcome) {
    case 'up-to-date':
      return 'Latest version already installed.\n';
    case 'held':
      return `${line.name} is held, and was not updated.\n`;
    case 'refused':
      return `${line.name}: image ${shorten(line.imageId)} is not tried again: ${line.reason}\n`;
    case 'planned':
      return [
        ...formatPrivileges(line.widening).map((text) => `# Asks, and did not before: ${text}`),
        formatInstallPlan(line.plan),
      ].join('\n');
    case 'updated':
      return `Updated ${line.name} to ${line.plan.image} (${shorten(line.plan.record.revision)})\n`;
    case 'failed':
      return '';
  }
}

/** Formats the table at the end of `containers update --all` (compatibility C-05). */
export function formatUpdateSummary(lines: readonly UpdateLine[]): string {
  const columns = [
    { title: 'Container', read: ({ name }: UpdateLine) => name },
    { title: 'Image ID before update', read: (line: UpdateLine) => shorten(readIds(line).before) },
    { title: 'Image ID after update', read: (line: UpdateLine) => shorten(readIds(line).after) },
    { title: 'Status', read: describeStatus },
  ];
  if (lines.length === 0) return '';
  const table = formatTable(lines, columns, { mark: () => '', gap: 2, heading: true, truncate: false });
  return `\nSUMMARY\n${table}`;
}

function readIds(line: UpdateLine): { before: string; after: string } {
  switch (line.outcome) {
    case 'up-to-date':
      return { before: line.imageId, after: line.imageId };
    case 'held':
    case 'refused':
    case 'failed':
      return { before: '', after: '' };
    default:
      return { before: line.from.imageId, after: line.plan.record.revision };
  }
}

function describeStatus(line: UpdateLine): string {
  switch (line.outcome) {
    case 'up-to-date':
      return 'Updated';
    case 'updated':
      return 'Updated now';
    case 'planned':
      return 'Not updated';
    case 'held':
      return 'Not updated: it is held';
    case 'refused':
      return 'Not updated: its image failed before';
    case 'failed':
      return `Failed: ${line.error.code}`;
  }
}

function shorten(id: string): string {
  return id.slice(0, 12);
}
