import { expect, test } from 'bun:test';
import { parseTimeSpan } from '../../../src/host/systemd/start-limit.ts';

test.each([
  ['1min 30s', 90_000],
  ['500ms', 500],
  ['1h 2min 3.5s', 3_723_500],
  ['1w 1d', 691_200_000],
  ['infinity', 0],
  ['', 0],
])('the time span %j of systemctl is %d ms', (text, milliseconds) => {
  expect(parseTimeSpan(text)).toBe(milliseconds);
});
