import { expect, test } from 'bun:test';
import { orderUnits } from '../../../src/host/systemd/start-order.ts';

const order = (after: Readonly<Record<string, readonly string[]>>) =>
  orderUnits(new Map(Object.entries(after)));

test('a unit comes after those that it is ordered after, also over others', () => {
  expect(order({ web: ['app', 'network.target'], app: ['db'], db: [] })).toEqual(['db', 'app', 'web']);
});

test('units without an order among each other stay as given', () => {
  expect(order({ c: ['x'], a: [], b: ['a'] })).toEqual(['c', 'a', 'b']);
});

test('a circle loses no unit', () => {
  expect([...order({ a: ['b'], b: ['c'], c: ['a'] })].sort()).toEqual(['a', 'b', 'c']);
  expect(order({ a: ['a'] })).toEqual(['a']);
});
