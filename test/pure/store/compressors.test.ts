import { expect, test } from 'bun:test';
import { gzipSync } from 'node:zlib';
import type { LayerCompression } from '../../../src/image/manifest.ts';
import { describeCompressor, planCompressors } from '../../../src/store/export/recompress/compressors.ts';
import {
  findGzipHeader,
  formatGzipHeader,
  formatGzipTrailer,
} from '../../../src/store/export/recompress/gzip-file.ts';

const zlib6 = ['zlib level 6', 'zlib-ng level 6'];
const plans: [what: string, compression: LayerCompression, start: string | undefined, names: string[]][] = [
  ['no compression', 'none', undefined, ['no compression']],
  ['zstd', 'zstd', '28b52ffd', ['libzstd', "skopeo's zstd", 'libzstd']],
  ['a blob of which nothing is known', 'gzip', undefined, ["Go's gzip", "skopeo's gzip", ...zlib6]],
  ['Docker', 'gzip', '1f8b08000000000000ff', ["Go's gzip", "skopeo's gzip", ...zlib6, 'zlib level 9']],
  ['podman', 'gzip', '1f8b080000096e8800ff', ["skopeo's gzip"]],
  ['zlib', 'gzip', '1f8b0800000000000003', [...zlib6, 'zlib level 9']],
  ['Python, with a time and a name', 'gzip', '1f8b0808f0f0f0f002ff6100', ['zlib level 9', 'zlib-ng level 9']],
  ['zlib at its fastest', 'gzip', '1f8b0800000000000403', ['zlib level 1']],
  ['not even a header', 'gzip', '1f8b', []],
];
test.each(plans)('%s', (_, compression, start, names) => {
  const bytes = start === undefined ? undefined : Buffer.from(start, 'hex');
  expect(planCompressors(compression, bytes).map(describeCompressor)).toEqual(names);
});

const plain = '1f8b0800000000000003';
const headers: [what: string, start: string, header: string | undefined][] = [
  ['plain', `${plain}0102`, plain],
  ['a name', '1f8b08080000000000036100ffff', '1f8b08080000000000036100'],
  ['a comment', '1f8b08100000000000036200ffff', '1f8b08100000000000036200'],
  [
    'extra field, name, comment and checksum',
    '1f8b081e00000000000302007879610062001234ff',
    '1f8b081e00000000000302007879610062001234',
  ],
  ['a name without end', '1f8b080800000000000361', undefined],
  ['an extra field that is cut', '1f8b08040000000000030900ff', undefined],
  ['cut', '1f8b08', undefined],
  ['another format', '28b52ffd8058002d3101f425', undefined],
];
test.each(headers)('gzip header: %s', (_, start, header) => {
  expect(findGzipHeader(Buffer.from(start, 'hex'))?.toString('hex')).toBe(header as string);
});

test('header and trailer around a file are those that zlib writes', () => {
  const file = gzipSync('content', { level: 9 });
  expect(formatGzipHeader({ kind: 'zlib', level: 9 })).toEqual(file.subarray(0, 10));
  expect(formatGzipTrailer(Bun.hash.crc32('content'), 7)).toEqual(file.subarray(-8));
  expect(formatGzipTrailer(0xffffffff, 2 ** 32 + 1).toString('hex')).toBe('ffffffff01000000');
});
