import { toPrintable } from '../../base/printable.ts';
import { formatTable } from '../../cli/output/format-table.ts';

interface ImageVersion {
  readonly image: string;
  readonly version: string;
  /** The whole id in hex. */
  readonly id: string;
}

const SHORT_ID = 10;
const MAX_VERSION = 200;

/** Formats `images version`, with an empty line after each row, as the original did (compatibility M-50). */
export function formatVersions(versions: readonly ImageVersion[]): string {
  const columns = [
    { title: 'IMAGE NAME', read: ({ image }: ImageVersion) => image },
    { title: 'VERSION', read: ({ version }: ImageVersion) => toPrintable(version, MAX_VERSION) },
    { title: 'IMAGE ID', minWidth: SHORT_ID, read: ({ id }: ImageVersion) => id.slice(0, SHORT_ID) },
  ];
  const table = formatTable(versions, columns, { mark: () => '', gap: 3, heading: true, truncate: false });
  const [heading = '', ...rows] = table.trimEnd().split('\n');
  return [heading, ...rows.flatMap((row) => [row, ''])].map((line) => `${line}\n`).join('');
}
