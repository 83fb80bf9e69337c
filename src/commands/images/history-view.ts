import { type Display, plainDisplay } from '../../cli/output/display.ts';
import { formatJson } from '../../cli/output/format-json.ts';
import { formatSize } from '../../cli/output/format-size.ts';
import { type Column, formatTable } from '../../cli/output/format-table.ts';
import { formatLocalTime } from '../../cli/output/format-time.ts';
import type { Digest } from '../../image/digest.ts';
import type { ImageDescription } from '../../image/image-description.ts';
import { buildHistory, type HistoryStep } from '../../image/image-history.ts';

interface ImageHistoryOptions {
  readonly quiet: boolean;
  readonly json: boolean;
  readonly 'no-trunc': boolean;
}

const SHORT_ID = 12;
/** The longest text of a step in the table without `--no-trunc`, in characters. */
const TEXT_WIDTH = 45;

/** Formats `images history`, newest step first: digests of layers, JSON or a table. */
export function formatImageHistory(
  { image, layers, details }: ImageDescription,
  options: ImageHistoryOptions,
  display: Display = plainDisplay,
): string {
  const steps = buildHistory(details.history, layers);
  const truncate = !options['no-trunc'];
  if (options.quiet) {
    const digests = steps.flatMap(({ layer }) => (layer === undefined ? [] : [hexOf(layer.digest)]));
    return digests.map((hex) => `${truncate ? hex.slice(0, SHORT_ID) : hex}\n`).join('');
  }
  if (options.json) {
    return formatJson({
      schemaVersion: 1,
      reference: image.reference,
      id: image.id,
      history: steps.map(buildStepJson),
    });
  }
  return formatTable(steps, columns, { mark: () => '', gap: 3, heading: true, truncate, display });
}

/** Builds one step for `--json`; unknown values are null. */
export function buildStepJson({ entry, layer }: HistoryStep): Record<string, unknown> {
  return {
    created_at: entry?.created?.toISOString() ?? null,
    created_by: entry?.createdBy ?? null,
    comment: entry?.comment ?? null,
    author: entry?.author ?? null,
    layer: layer?.digest ?? null,
    size_bytes: layer === undefined ? 0 : (layer.uncompressedSize ?? null),
  };
}

const columns: readonly Column<HistoryStep>[] = [
  {
    title: 'CREATED',
    minWidth: 16,
    read: ({ entry }) => (entry?.created ? formatLocalTime(entry.created) : ''),
  },
  {
    title: 'CREATED BY',
    maxWidth: TEXT_WIDTH,
    read: ({ entry }) => entry?.createdBy ?? '<missing>',
    fit: 'end',
  },
  { title: 'SIZE', read: readSize },
  { title: 'COMMENT', maxWidth: TEXT_WIDTH, read: ({ entry }) => entry?.comment ?? '', fit: 'end' },
];

function readSize({ layer }: HistoryStep): string {
  if (layer === undefined) return formatSize(0);
  return layer.uncompressedSize === undefined ? '' : formatSize(layer.uncompressedSize);
}

function hexOf(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1);
}
