/** The output of `containers update` and `containers rollback`. */

import { toPrintable } from '../../base/printable.ts';
import type { Display, Tone } from '../../cli/output/display.ts';
import { type Column, formatTable } from '../../cli/output/format-table.ts';
import { formatPrivileges } from '../../containers/consent/format-privileges.ts';
import type { Privilege } from '../../containers/consent/privilege.ts';
import type { RollbackPlan } from '../../containers/update/plan-rollback.ts';
import type { UpdateOutcome } from '../../containers/update/update-all.ts';
import { formatInstallPlan, formatPlan } from './plan-text.ts';

/** Formats the result for one container, in the words of the original if it had any (compatibility C-02). */
export function formatUpdate(line: UpdateOutcome): string {
  switch (line.outcome) {
    case 'up-to-date':
      return 'Latest version already installed.\n';
    case 'held':
      return `${line.name} is held, and was not updated.\n`;
    case 'refused':
      return `${line.name}: image ${shorten(line.imageId)} is not tried again: ${line.reason}\n`;
    case 'planned':
      return [
        ...formatWidening(line.widening),
        ...(line.state === undefined
          ? []
          : [`# Copies the state ${toPrintable(line.state)}, for a rollback`]),
        formatInstallPlan(line.plan),
      ].join('\n');
    case 'updated':
      return `Updated ${line.name} to ${line.plan.image} (${shorten(line.plan.record.revision)})\n`;
    case 'kept':
      return `${line.name} was not updated: ${line.reason}.\n`;
    case 'failed':
      return '';
  }
}

/** Formats the output of `rollback --display`. */
export function formatRollbackPlan({ plan, widening }: RollbackPlan, state: string | undefined): string {
  return [
    ...formatWidening(widening),
    ...(state === undefined ? [] : [`# Exchanges the state ${toPrintable(state)} for the copy of it`]),
    formatPlan(plan, [`# In ${toPrintable(plan.deployment)}, which exists`]),
  ].join('\n');
}

function formatWidening(widening: readonly Privilege[]): readonly string[] {
  return formatPrivileges(widening).map((text) => `# Asks, and did not before: ${text}`);
}

/** Formats the table at the end of `containers update --all` (compatibility C-05). */
export function formatUpdateSummary(lines: readonly UpdateOutcome[], display: Display): string {
  const columns: readonly Column<UpdateOutcome>[] = [
    { title: 'Container', read: ({ name }) => name, fit: 'last' },
    { title: 'Image ID before update', read: (line) => shorten(readIds(line).before) },
    { title: 'Image ID after update', read: (line) => shorten(readIds(line).after) },
    { title: 'Status', read: describeStatus, tone: chooseTone, fit: 'wrap' },
  ];
  if (lines.length === 0) return '';
  const table = formatTable(lines, columns, {
    ...{ mark: () => '', gap: 2, heading: true, truncate: true },
    display,
  });
  return `\nSUMMARY\n${table}`;
}

function readIds(line: UpdateOutcome): { before: string; after: string } {
  switch (line.outcome) {
    case 'up-to-date':
      return { before: line.imageId, after: line.imageId };
    case 'refused':
      return { before: line.installedId, after: line.installedId };
    case 'held':
    case 'kept':
    case 'failed':
      return { before: line.imageId ?? '', after: line.imageId ?? '' };
    default:
      return { before: line.from.imageId, after: line.plan.record.revision };
  }
}

function describeStatus(line: UpdateOutcome): string {
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
    case 'kept':
      return `Not updated: ${line.reason}`;
    case 'failed':
      return `Failed: ${line.error.code}`;
  }
}

function chooseTone({ outcome }: UpdateOutcome): Tone | undefined {
  if (outcome === 'failed') return 'bad';
  if (outcome === 'updated') return 'good';
  return outcome === 'kept' || outcome === 'refused' ? 'notable' : undefined;
}

function shorten(id: string): string {
  return id.slice(0, 12);
}
