import { expect, test } from 'bun:test';
import {
  expectArray,
  expectBoolean,
  expectObject,
  expectString,
  expectStringMap,
  expectStrings,
} from '../../../src/base/json-shape.ts';

const reject = (problem: string): Error => new Error(problem);

test('absent and null values are empty', () => {
  for (const absent of [undefined, null]) {
    expect(expectObject(absent, 'x', reject)).toEqual({});
    expect(expectArray(absent, 'x', reject)).toEqual([]);
    expect(expectString(absent, 'x', reject)).toBe('');
    expect(expectBoolean(absent, 'x', true, reject)).toBe(true);
    expect(expectStrings(absent, 'x', reject)).toEqual([]);
    expect(expectStringMap(absent, 'x', reject)).toEqual({});
  }
});

test('values of the right type come back', () => {
  expect(expectString('a', 'x', reject)).toBe('a');
  expect(expectBoolean(false, 'x', true, reject)).toBe(false);
  expect(expectStrings(['a', ''], 'x', reject)).toEqual(['a', '']);
  expect(Object.entries(expectStringMap(JSON.parse('{"__proto__": "a"}'), 'x', reject))).toEqual([
    ['__proto__', 'a'],
  ]);
});

test.each<[string, () => unknown, string]>([
  ['object', () => expectObject([], 'x', reject), 'x must be an object'],
  ['array', () => expectArray({}, 'x', reject), 'x must be an array'],
  ['string', () => expectString(1, 'x', reject), 'x must be a string'],
  ['boolean', () => expectBoolean('true', 'x', true, reject), 'x must be true or false'],
  ['strings', () => expectStrings(['a', 1], 'x', reject), 'x[1] must be a string'],
  ['string map', () => expectStringMap({ k: null }, 'x', reject), 'x.k must be a string'],
])('another type than %s is refused', (_, action, problem) => {
  expect(action).toThrow(new Error(problem));
});
