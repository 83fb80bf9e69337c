import { expect, test } from 'bun:test';
import { formatStopStatuses, parseStopSignal } from '../../../src/containers/render/unit/stop-signal.ts';
import { catchError } from '../../support/thrown-error.ts';

test.each([
  ['SIGTERM', 'SIGTERM', 15],
  ['quit', 'SIGQUIT', 3],
  ['SIGRTMIN+3', 'SIGRTMIN+3', 37],
  ['RTMAX-14', 'SIGRTMAX-14', 50],
  ['RTMIN', 'SIGRTMIN', 34],
  ['9', '9', 9],
  ['09', '9', 9],
  ['64', '64', 64],
])('%s is %s, number %i', (signal, text, number) => {
  expect(parseStopSignal(signal)).toEqual({ text, number });
});

test.each([
  '',
  'SIG',
  'NOPE',
  '0',
  '65',
  '-1',
  'RTMIN+31',
  'RTMIN+0',
  'RTMIN-1',
  'SIGTERM\nExecStart=/bin/sh',
  'TERM ',
])('refuses %j', (signal) => {
  const error = catchError(() => parseStopSignal(signal));
  expect(error.code).toBe('CONFIG_INVALID');
  expect(error.message).toStartWith("Cannot stop the image: no signal '");
});

test('a program that the stop signal has ended is not a failure', () => {
  expect(formatStopStatuses(undefined)).toBe('143');
  expect(formatStopStatuses(parseStopSignal('TERM'))).toBe('143');
  expect(formatStopStatuses(parseStopSignal('QUIT'))).toBe('143 131');
  expect(formatStopStatuses(parseStopSignal('9'))).toBe('143 137 SIGKILL');
});
