import { expect, test } from 'bun:test';
import { joinValues, parseAssignment } from '../../../src/containers/render/values/set-option.ts';
import { catchError } from '../../support/thrown-error.ts';

const parse = (word: string) => parseAssignment(word, '--set');

test('splits at the first = and keeps anything', () => {
  const words = ['A=1', 'URL=http://h:1?a=b', 'EMPTY=', 'RAW=,{"type":"bind"}\n$X', '__proto__=p'];
  expect(words.map(parse)).toEqual([
    { name: 'A', text: '1' },
    { name: 'URL', text: 'http://h:1?a=b' },
    { name: 'EMPTY', text: '' },
    { name: 'RAW', text: ',{"type":"bind"}\n$X' },
    { name: '__proto__', text: 'p' },
  ]);
});

test.each(['RUN_DIRECTORY', 'STATE_DIRECTORY', 'CONF_DIRECTORY', 'PIDFILE', 'UUID', 'RUNTIME', 'ATOMIC'])(
  '%s may be set',
  (name) => {
    expect(parse(`${name}=x`)).toEqual({ name, text: 'x' });
  },
);

test('refuses an option without = (N-07)', () => {
  expect(catchError(() => parse('PORT'))).toEqual({
    code: 'BAD_VALUE',
    message: "Invalid value 'PORT'.  Expected form NAME=VALUE",
    hint: 'To set an empty value write --set PORT= .',
  });
  expect(catchError(() => parseAssignment('PORT', '--set-file', 'NAME=PATH'))).toEqual({
    code: 'BAD_VALUE',
    message: "Invalid value 'PORT'.  Expected form NAME=PATH",
    hint: 'Write --set-file NAME=PATH.',
  });
});

test.each(['=x', 'A-B=x', '1A=x', ' A=x', 'A =x'])('refuses %j, which no template can use', (option) => {
  const error = catchError(() => parse(option));
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
  expect(catchError(() => parse(`${name}=x`))).toEqual({
    code: 'BAD_VALUE',
    message: `Cannot set ${name}: atomic decides its value`,
    hint: 'Leave it out, or use a name of your own in the template.',
  });
});

test('points from NAME to --name', () => {
  expect(catchError(() => parse('NAME=x')).hint).toBe('Use --name NAME to choose the name of the container.');
});

test('of equal names of one option the last counts; only those of --set-any are not checked', () => {
  const given = joinValues({
    set: [
      { name: 'A', text: '1' },
      { name: '__proto__', text: 'p' },
      { name: 'A', text: '2' },
    ],
    setFile: [{ name: 'B', text: 'long' }],
    setAny: [{ name: 'C', text: '' }],
  });
  expect(Object.entries(given.values)).toEqual([
    ['A', '2'],
    ['__proto__', 'p'],
    ['B', 'long'],
    ['C', ''],
  ]);
  expect(given.checkedNames).toEqual(['A', '__proto__', 'B']);
});

test('refuses one name in two options', () => {
  const one = [{ name: 'A', text: '1' }];
  expect(catchError(() => joinValues({ set: one, setFile: [], setAny: one }))).toEqual({
    code: 'BAD_VALUE',
    message: '--set and --set-any both name A',
    hint: 'Use one of them.',
  });
});
