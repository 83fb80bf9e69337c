import { describe, expect, test } from 'bun:test';
import {
  changeSetValues,
  findOrigins,
  inferOrigins,
  listSetValues,
} from '../../../src/containers/render/values/value-origins.ts';
import { catchError } from '../../support/thrown-error.ts';

const values = {
  NAME: 'etcd',
  HOST_UID: 0,
  RUN_DIRECTORY: '/run',
  STATE_DIRECTORY: '/srv',
  UUID: 'a-b',
  PORT: '8081',
  HOST: 'a',
  OTHER: '',
};

test('origins of an install', () => {
  const set = { STATE_DIRECTORY: '/srv', HOST: 'a', NAME: 'ignored' };
  expect(findOrigins(values, set, { PORT: '8081', OTHER: '', RUN_DIRECTORY: '/x' })).toEqual({
    NAME: 'system',
    HOST_UID: 'system',
    RUN_DIRECTORY: 'system',
    STATE_DIRECTORY: 'person',
    UUID: 'generated',
    PORT: 'image',
    HOST: 'person',
    OTHER: 'image',
  });
  expect(findOrigins({ UUID: 'x' }, {}, { UUID: 'x' })).toEqual({ UUID: 'image' });
  expect(findOrigins({ TOKEN: '/run/x' }, {}, {}, ['TOKEN'])).toEqual({ TOKEN: 'secret' });
  expect(findOrigins({ UUID: 'x' }, { UUID: 'x' }, { UUID: 'y' })).toEqual({ UUID: 'person' });
});

test('origins of a container of the original', () => {
  expect(inferOrigins(values, { PORT: '8081', HOST: 'b' })).toEqual({
    NAME: 'system',
    HOST_UID: 'system',
    RUN_DIRECTORY: 'system',
    STATE_DIRECTORY: 'person',
    UUID: 'generated',
    PORT: 'image',
    HOST: 'person',
    OTHER: 'person',
  });
});

test('a value of a person is kept, with any name', () => {
  const odd = JSON.parse('{"__proto__": "1", "constructor": "2"}') as Record<string, string>;
  const origins = findOrigins(odd, odd, {});
  expect(Object.entries(listSetValues(odd, origins))).toEqual(Object.entries(odd));
  expect(Object.entries(listSetValues(odd, findOrigins(odd, {}, odd)))).toEqual([]);
});

describe('a change of what was set', () => {
  test('adds, replaces and takes away', () => {
    const before = { A: '1', B: '2', C: '3' };
    expect(changeSetValues(before, { set: { B: '', D: '4' }, unset: ['A'] })).toEqual({
      B: '',
      C: '3',
      D: '4',
    });
  });

  test.each([
    [['X'], {}, '--unset X: no value was set for it', 'Values were set for A, B.'],
    [['A'], { A: '1' }, '--set and --unset both name A', 'Use one of them.'],
  ])('refuses %j with %j', (unset, set, message, hint) => {
    expect(catchError(() => changeSetValues({ B: '2', A: '1' }, { set, unset }))).toEqual({
      code: 'BAD_VALUE',
      message,
      hint,
    });
  });
});
