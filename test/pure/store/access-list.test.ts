import { expect, test } from 'bun:test';
import { allowSearch } from '../../../src/store/access/access-list.ts';

/** `[kind, permissions, id]` of each entry. */
function read(list: Buffer | undefined): number[][] {
  if (list === undefined) return [];
  expect(list.readUInt32LE(0)).toBe(2);
  const entries: number[][] = [];
  for (let at = 4; at < list.length; at += 8) {
    entries.push([list.readUInt16LE(at), list.readUInt16LE(at + 2), list.readUInt32LE(at + 4)]);
  }
  return entries;
}

const nobody = 0xffffffff;

test('a closed folder gets an entry for the user, and a mask that lets it through', () => {
  expect(read(allowSearch(undefined, 0o700, 100_000))).toEqual([
    [1, 7, nobody],
    [2, 1, 100_000],
    [4, 0, nobody],
    [16, 1, nobody],
    [32, 0, nobody],
  ]);
});

test('entries that are there stay, in order, and one is enough', () => {
  const first = allowSearch(undefined, 0o750, 200_000);
  const second = allowSearch(first, 0o750, 100_000);
  expect(read(second)).toEqual([
    [1, 7, nobody],
    [2, 1, 100_000],
    [2, 1, 200_000],
    [4, 5, nobody],
    [16, 5, nobody],
    [32, 0, nobody],
  ]);
  expect(allowSearch(second, 0o750, 100_000)).toBeUndefined();
  expect(allowSearch(undefined, 0o701, 100_000)).toBeUndefined();
});

test('a mask that chmod has closed is opened again, and permissions that a user has stay', () => {
  const list = allowSearch(undefined, 0o700, 100_000) ?? Buffer.alloc(0);
  const maskAt = 4 + 3 * 8 + 2;
  const userAt = 4 + 8 + 2;
  list.writeUInt16LE(0, maskAt);
  list.writeUInt16LE(4, userAt);
  expect(read(allowSearch(list, 0o700, 100_000)).slice(1, 4)).toEqual([
    [2, 5, 100_000],
    [4, 0, nobody],
    [16, 1, nobody],
  ]);
});
