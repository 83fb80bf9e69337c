import { expect, test } from 'bun:test';
import { formatProgressBar, formatProgressLine } from '../../src/cli/progress/progress-bar.ts';
import { startTransfer, updateTransfer } from '../../src/cli/progress/transfer.ts';

const hex = 'e4410b03d7db030dba502fef7bfd1dae56a6c48faae63a80fd82450322def2c5';
const half = updateTransfer(startTransfer(95_200_000, 0), 47_600_000, 4000);

test.each([
  [200, 'e4410b03d7db  [###############---------------]   50%    47.60 MB / 95.20 MB   11.90 MB/s  00:04'],
  [90, 'e4410b03d7db  [############-------------]   50%    47.60 MB / 95.20 MB   11.90 MB/s  00:04'],
  [79, 'e4410b03d7db  [#######-------]   50%    47.60 MB / 95.20 MB   11.90 MB/s  00:04'],
  [60, 'e4410b03d7db  [#########---------]   50%   11.90 MB/s  00:04'],
  [40, 'e4410b03d7db  [#####------]   50%  00:04'],
  [33, 'e4410b03d7db  [#####------]   50%'],
  [30, 'e4410b03d7db   50%'],
  [10, 'e4410b03d7'],
  [0, ''],
])('on %p columns', (width, line) => {
  expect(formatProgressBar(hex, half, 4000, width)).toBe(line);
});

test.each([
  [
    'just begun',
    startTransfer(95_200_000, 0),
    0,
    'e4410b03d7db  [--------------]    0%         0 B / 95.20 MB',
  ],
  [
    'complete',
    updateTransfer(startTransfer(1000, 0), 1000, 1000),
    1000,
    'e4410b03d7db  [##############]  100%      1.00 KB / 1.00 KB    1.00 KB/s  00:00',
  ],
  [
    'longer than announced',
    updateTransfer(startTransfer(1000, 0), 3000, 1000),
    1000,
    'e4410b03d7db  [##############]  100%      3.00 KB / 1.00 KB    3.00 KB/s  00:00',
  ],
  [
    'size unknown',
    updateTransfer(startTransfer(0, 0), 3000, 1000),
    1000,
    'e4410b03d7db  [--------------]                      3.00 KB    3.00 KB/s',
  ],
])('%s', (_, transfer, now, line) => {
  expect(formatProgressBar(hex, transfer, now, 79)).toBe(line);
});

test.each([
  [half, 4000, 'Layer e4410b03d7db: 47.60 MB of 95.20 MB, 11.90 MB/s, 00:04 left'],
  [startTransfer(95_200_000, 0), 0, 'Layer e4410b03d7db: 0 B of 95.20 MB'],
  [updateTransfer(startTransfer(0, 0), 3000, 1000), 1000, 'Layer e4410b03d7db: 3.00 KB, 3.00 KB/s'],
])('as a line', (transfer, now, line) => {
  expect(formatProgressLine(hex, transfer, now)).toBe(line);
});
