import { expect, test } from 'bun:test';
import { formatStopSignal } from '../../../src/containers/render/unit/stop-signal.ts';
import { catchError } from '../../support/thrown-error.ts';

test.each([
  ['SIGTERM', 'SIGTERM'],
  ['quit', 'SIGQUIT'],
  ['SIGRTMIN+3', 'SIGRTMIN+3'],
  ['RTMAX-14', 'SIGRTMAX-14'],
  ['RTMIN', 'SIGRTMIN'],
  ['9', '9'],
  ['09', '9'],
  ['64', '64'],
])('%s is %s', (signal, expected) => {
  expect(formatStopSignal(signal)).toBe(expected);
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
  const error = catchError(() => formatStopSignal(signal));
  expect(error.code).toBe('CONFIG_INVALID');
  expect(error.message).toStartWith("Cannot stop the image: no signal '");
});
