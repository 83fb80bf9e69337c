import { runtimeZone, type Zone } from '../../base/zone.ts';
import type { Display } from '../../cli/output/display.ts';
import { buildFilter, type FilterFields, listFilters } from '../../cli/output/filter.ts';
import { formatJson } from '../../cli/output/format-json.ts';
import { formatSize } from '../../cli/output/format-size.ts';
import { type Column, formatTable } from '../../cli/output/format-table.ts';
import { formatLocalTime } from '../../cli/output/format-time.ts';
import type { ListedImage, StoredBlob } from '../../image/image.ts';

/** A line of `images list`. */
export interface ImageRow {
  /** The full name; `undefined` for a layer or configuration blob. */
  readonly reference: string | undefined;
  readonly repository: string;
  readonly tag: string;
  /** The whole id in hex. */
  readonly id: string;
  readonly created: Date;
  readonly size: number | undefined;
  /** Whether an installed container uses this image. */
  readonly isUsed: boolean;
}

interface ImageListOptions {
  readonly filter: readonly string[];
  readonly json: boolean;
  readonly quiet: boolean;
  readonly noheading: boolean;
  readonly 'no-trunc': boolean;
  /** Of the times in the table. */
  readonly zone: Zone;
  readonly display?: Display | undefined;
}

/** The original printed this word for an image or blob without a name (compatibility M-03). */
const NONE = '<none>';
const SHORT_ID = 12;

export function buildImageRow(image: ListedImage, usedIds: ReadonlyMap<string, unknown>): ImageRow {
  return {
    reference: image.reference,
    repository: image.repository,
    tag: image.tag ?? NONE,
    id: image.id,
    created: image.created,
    size: image.virtualSize,
    isUsed: usedIds.has(image.id),
  };
}

export function buildBlobRow(blob: StoredBlob): ImageRow {
  const { id, created, size } = blob;
  return { reference: undefined, repository: NONE, tag: NONE, id, created, size, isUsed: false };
}

/**
 * Formats `images list` (compatibility M-01 to M-07): ids, JSON or a table; an empty text without images.
 *
 * @throws BAD_VALUE for a bad filter
 */
export function formatImageList(rows: readonly ImageRow[], options: ImageListOptions): string {
  const shown = rows.filter(buildFilter(options.filter, buildFilterFields(options.zone)));
  const truncate = !options['no-trunc'];
  if (options.quiet) return shown.map(({ id }) => `${truncate ? id.slice(0, SHORT_ID) : id}\n`).join('');
  if (options.json) return formatJson(shown.map((row) => buildJson(row, options.zone)));
  return formatTable(shown, buildColumns(truncate, options.zone), {
    mark: ({ isUsed }) => (isUsed ? '>' : ''),
    gap: 3,
    heading: !options.noheading,
    truncate,
    display: options.display,
  });
}

function buildColumns(truncate: boolean, zone: Zone): readonly Column<ImageRow>[] {
  return [
    { title: 'REPOSITORY', read: ({ repository }) => repository, fit: 'middle' },
    { title: 'TAG', minWidth: 10, read: ({ tag }) => tag, fit: 'middle' },
    { title: 'IMAGE ID', read: ({ id }) => (truncate ? id.slice(0, SHORT_ID) : id) },
    { title: 'CREATED', read: ({ created }) => formatLocalTime(created, zone), leaves: 'late' },
    { title: 'VIRTUAL SIZE', read: formatVirtualSize },
    { title: 'TYPE', read: () => 'system', leaves: 'early' },
  ];
}

/** The filter accepts two names of the type: the list shows `system`, and the original's completion uses `ostree`. */
function buildFilterFields(zone: Zone): FilterFields<ImageRow> {
  return {
    repo: ({ repository }) => [repository],
    repository: ({ repository }) => [repository],
    tag: ({ tag }) => [tag],
    id: ({ id }) => [id],
    image: ({ id }) => [id],
    created: ({ created }) => [formatLocalTime(created, zone)],
    size: (row) => [formatVirtualSize(row)],
    type: () => ['system', 'ostree'],
    is_dangling: () => ['false'],
  };
}

/** Keys of the original (M-07), and `reference`, `created_at` and `virtual_size_bytes`, which programs need not parse. */
function buildJson(row: ImageRow, zone: Zone): Record<string, unknown> {
  return {
    repo: row.repository,
    tag: row.tag,
    is_dangling: false,
    used: row.isUsed,
    vulnerable: false,
    id: row.id,
    type: 'image',
    created: formatLocalTime(row.created, zone),
    virtual_size: formatVirtualSize(row),
    backend: 'ostree',
    vuln_info: {},
    reference: row.reference ?? null,
    created_at: row.created.toISOString(),
    virtual_size_bytes: row.size ?? null,
  };
}

/** What can stand before the value of `--filter`. */
export const imageFilters: readonly string[] = listFilters(buildFilterFields(runtimeZone));

function formatVirtualSize({ size }: ImageRow): string {
  return size === undefined ? '' : formatSize(size);
}
