import { expect, test } from 'bun:test';
import { formatSize } from '../../src/cli/output/format-size.ts';

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.00 KB'],
  [1005, '1.00 KB'],
  [228_090_000, '228.09 MB'],
  [999_994, '999.99 KB'],
  [999_996, '1.00 MB'],
  [3_000_000_000, '3.00 GB'],
  [5e18, '5000.00 PB'],
])('%p bytes are %p', (bytes, text) => {
  expect(formatSize(bytes)).toBe(text);
});
