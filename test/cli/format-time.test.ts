import { expect, test } from 'bun:test';
import { runtimeZone } from '../../src/base/zone.ts';
import { formatDuration, formatLocalTime } from '../../src/cli/output/format-time.ts';

test.each([
  [new Date(2016, 8, 8, 16, 39, 59), '2016-09-08 16:39'],
  [new Date(2026, 0, 1, 0, 0), '2026-01-01 00:00'],
  [new Date(2026, 11, 31, 23, 5), '2026-12-31 23:05'],
])('%p', (time, text) => {
  expect(formatLocalTime(time, runtimeZone)).toBe(text);
});

test.each([
  [-1, '00:00'],
  [0.4, '00:00'],
  [59.6, '01:00'],
  [61, '01:01'],
  [3599, '59:59'],
  [3600, '1:00:00'],
  [360_061, '100:01:01'],
])('%p seconds are %p', (seconds, text) => {
  expect(formatDuration(seconds)).toBe(text);
});
