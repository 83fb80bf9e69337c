import { expect, test } from 'bun:test';
import { type ImageNews, judgeNews } from '../../../src/containers/update/newer-image.ts';
import { toDigest } from '../../../src/image/digest.ts';

const [one, two, three] = ['1', '2', '3'].map((digit) => digit.repeat(64)) as [string, string, string];
const quiet: ImageNews = {
  ...{ name: 'web', image: 'web', imageId: one, storedId: one },
  ...{ registry: { kind: 'up-to-date' }, isHeld: false, refused: undefined },
};
const refused = { id: two, reason: 'it died', time: '2026-01-01T00:00:00.000Z', log: [] };
const inRegistry = (id: string) =>
  ({ registry: { kind: 'newer', digest: toDigest(`sha256:${id}`) } }) as const;

test.each<[string, Partial<ImageNews>, string]>([
  ['nothing is new', {}, 'up-to-date'],
  ['the store has another image', { storedId: two }, 'newer store 2'],
  ['the registry has another image', inRegistry(two), 'newer registry 2'],
  ['both have', { storedId: two, ...inRegistry(three) }, 'newer registry 3'],
  ['the store has moved on, the registry went back', { storedId: two, ...inRegistry(one) }, 'newer store 2'],
  ['the name is gone from the store', { storedId: undefined, ...inRegistry(two) }, 'newer registry 2'],
  ['the newer one failed', { storedId: two, refused }, 'refused store 2 it died'],
  [
    'there is one behind that which failed',
    { storedId: two, refused, ...inRegistry(three) },
    'newer registry 3',
  ],
  ['it is held', { storedId: two, isHeld: true }, 'held store 2'],
  ['it is held, and nothing is new', { isHeld: true }, 'up-to-date'],
  [
    'it is held, and the newer one failed',
    { storedId: two, isHeld: true, refused },
    'refused store 2 it died',
  ],
  ['the registry does not answer', { registry: { kind: 'unknown', reason: 'no route' } }, 'unknown no route'],
  [
    'the registry does not answer, the store has another',
    { storedId: two, registry: { kind: 'unknown', reason: 'no route' } },
    'newer store 2',
  ],
  [
    'the registry has lost the name',
    { registry: { kind: 'gone' } },
    'unknown the name no longer exists in its registry',
  ],
  ['a file', { registry: { kind: 'not-from-registry' } }, 'up-to-date'],
])('%s', (_, news, expected) => {
  const { outcome, newer, reason } = judgeNews({ ...quiet, ...news });
  const found = newer === undefined ? [] : [newer.where, newer.id.slice(0, 1)];
  expect([outcome, ...found, reason].filter((word) => word !== '').join(' ')).toBe(expected);
});
