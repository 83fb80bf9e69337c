import { expect, test } from 'bun:test';
import { parseSetOptions } from '../../../src/containers/render/values/set-option.ts';
import { catchError } from '../../support/thrown-error.ts';

test('splits at the first =, keeps anything, and the last of equal names counts', () => {
  const set = parseSetOptions([
    'A=1',
    'URL=http://h:1?a=b',
    'EMPTY=',
    'RAW=,{"type":"bind"}\n$X',
    'A=2',
    '__proto__=p',
  ]);
  expect(Object.entries(set)).toEqual([
    ['A', '2'],
    ['URL', 'http://h:1?a=b'],
    ['EMPTY', ''],
    ['RAW', ',{"type":"bind"}\n$X'],
    ['__proto__', 'p'],
  ]);
});

test.each(['RUN_DIRECTORY', 'STATE_DIRECTORY', 'CONF_DIRECTORY', 'PIDFILE', 'UUID', 'RUNTIME', 'ATOMIC'])(
  '%s may be set',
  (name) => {
    expect(parseSetOptions([`${name}=x`])).toEqual({ [name]: 'x' });
  },
);

test('refuses an option without = (N-07)', () => {
  expect(catchError(() => parseSetOptions(['A=1', 'PORT']))).toEqual({
    code: 'BAD_VALUE',
    message: "Invalid value 'PORT'.  Expected form NAME=VALUE",
    hint: 'To set an empty value write --set PORT= .',
  });
});

test.each(['=x', 'A-B=x', '1A=x', ' A=x', 'A =x'])('refuses %j, which no template can use', (option) => {
  const error = catchError(() => parseSetOptions([option]));
  expect(error.code).toBe('BAD_VALUE');
  expect(error.message).toBe(`Invalid name '${option.split('=')[0]}' in --set: no template can use it`);
});

test.each([
  'DESTDIR',
  'EXEC_START',
  'EXEC_STOP',
  'EXEC_STARTPRE',
  'EXEC_STOPPOST',
  'HOST_UID',
  'HOST_GID',
  'IMAGE_NAME',
  'IMAGE_ID',
])('refuses %s, which is forced', (name) => {
  expect(catchError(() => parseSetOptions([`${name}=x`]))).toEqual({
    code: 'BAD_VALUE',
    message: `Cannot set ${name}: atomic decides its value`,
    hint: 'Leave it out, or use a name of your own in the template.',
  });
});

test('points from NAME to --name', () => {
  expect(catchError(() => parseSetOptions(['NAME=x'])).hint).toBe(
    'Use --name NAME to choose the name of the container.',
  );
});
