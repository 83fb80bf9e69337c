/** The output of `containers check` and `containers fetch`. */
import { toPrintable } from '../../base/printable.ts';
import type { Display, Tone } from '../../cli/output/display.ts';
import { type Column, formatTable } from '../../cli/output/format-table.ts';
import type { CheckedContainer } from '../../containers/update/check-containers.ts';
import type { FetchOutcome } from '../../containers/update/fetch-images.ts';

/** Longest reason in the table; `--json` has it in full. */
const REASON_WIDTH = 80;

const columns: readonly Column<CheckedContainer>[] = [
  { title: 'CONTAINER', read: readName, fit: 'last' },
  { title: 'IMAGE', read: (line) => (line.kind === 'checked' ? line.checked.image : ''), fit: 'middle' },
  {
    title: 'INSTALLED',
    read: (line) => (line.kind === 'checked' ? shorten(line.checked.imageId) : ''),
  },
  {
    title: 'NEWER',
    read: (line) => (line.kind === 'checked' ? shorten(line.checked.newer?.id ?? '') : ''),
  },
  { title: 'STATUS', read: describeStatus, tone: chooseTone, fit: 'wrap' },
];

/** Formats the table of `containers check`. */
export function formatChecks(lines: readonly CheckedContainer[], display: Display): string {
  return formatTable(lines, columns, { mark: () => '', gap: 2, heading: true, truncate: true, display });
}

export function buildChecksJson(lines: readonly CheckedContainer[]): Record<string, unknown> {
  return {
    schemaVersion: 1,
    containers: lines.map((line) => {
      if (line.kind === 'damaged') return { name: line.name, outcome: 'damaged', reason: line.reason };
      const { name, outcome, image, imageId, newer, reason, isHeld, refused } = line.checked;
      return {
        ...{ name, outcome, image, image_id: imageId, newer: newer ?? null },
        ...{ reason: reason === '' ? null : reason, held: isHeld, refused: refused ?? null },
      };
    }),
  };
}

export function formatFetched(line: FetchOutcome): string {
  switch (line.outcome) {
    case 'fetched':
      return `Fetched ${toPrintable(line.image)} (${shorten(line.imageId)}) for ${line.name}\n`;
    case 'held':
      return `${line.name} is held, and nothing was fetched for it.\n`;
    case 'refused':
      return `${line.name}: image ${shorten(line.imageId)} is not fetched: its service did not come up before\n`;
    case 'present':
    case 'failed':
      return '';
  }
}

export function buildFetchedJson(lines: readonly FetchOutcome[]): Record<string, unknown> {
  return {
    schemaVersion: 1,
    containers: lines.map((line) =>
      line.outcome === 'failed'
        ? line
        : { outcome: line.outcome, name: line.name, image: line.image, image_id: line.imageId },
    ),
  };
}

function readName(line: CheckedContainer): string {
  return line.kind === 'checked' ? line.checked.name : line.name;
}

function describeStatus(line: CheckedContainer): string {
  if (line.kind === 'damaged') return `damaged: ${toPrintable(line.reason, REASON_WIDTH)}`;
  const { outcome, newer, reason } = line.checked;
  switch (outcome) {
    case 'up-to-date':
      return 'up to date';
    case 'newer':
      return newer?.where === 'registry' ? 'newer in the registry' : 'newer in the store';
    case 'held':
      return `newer in the ${newer?.where}, held`;
    case 'refused':
      return `refused: ${toPrintable(reason, REASON_WIDTH)}`;
    case 'unknown':
      return `not known: ${toPrintable(reason, REASON_WIDTH)}`;
  }
}

function chooseTone(line: CheckedContainer): Tone | undefined {
  if (line.kind === 'damaged' || line.checked.outcome === 'refused') return 'bad';
  return line.checked.outcome === 'newer' ? 'notable' : undefined;
}

function shorten(id: string): string {
  return id.slice(0, 12);
}
