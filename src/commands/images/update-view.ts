import type { Display } from '../../cli/output/display.ts';
import type { Column } from '../../cli/output/format-table.ts';
import { formatTable } from '../../cli/output/format-table.ts';

export interface UpdateRow {
  readonly reference: string;
  /** The ids of the image before and after the update; empty without an image. */
  readonly before: string;
  readonly after: string;
  /** The words of the original (compatibility M-60). */
  readonly status: 'Updated now' | 'Updated' | 'Could not pull';
}

/** The width of the columns in the original. */
const ID_WIDTH = 32;

/** Formats the summary of `images update --all`; an empty text without images. */
export function formatImageUpdates(rows: readonly UpdateRow[], display: Display): string {
  if (rows.length === 0) return '';
  const columns: Column<UpdateRow>[] = [
    { title: 'Image', minWidth: 50, read: ({ reference }) => reference, fit: 'middle' },
    {
      title: 'Image ID before update',
      minWidth: ID_WIDTH,
      read: ({ before }) => before.slice(0, ID_WIDTH),
      fit: 'end',
    },
    {
      title: 'Image ID after update',
      minWidth: ID_WIDTH,
      read: ({ after }) => after.slice(0, ID_WIDTH),
      fit: 'end',
    },
    { title: 'Status', minWidth: 15, read: ({ status }) => status },
  ];
  const table = formatTable(rows, columns, {
    ...{ mark: () => '', gap: 1, heading: true, truncate: true },
    display,
  });
  return `\nSUMMARY\n${table}`;
}
