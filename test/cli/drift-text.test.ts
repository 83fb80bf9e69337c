import { expect, test } from 'bun:test';
import { formatDriftRepairs, formatDrifts } from '../../src/commands/containers/verify-view.ts';
import type { Drift } from '../../src/containers/drift/drift.ts';

const checkouts = '/c';
const edited: Drift = {
  part: 'unit',
  path: '/etc/systemd/system/web.service',
  state: 'edited',
  reason: 'it was changed by hand',
  isTolerated: false,
};
const disabled: Drift = {
  ...edited,
  ...{ part: 'service', path: 'web.service', state: 'disabled', isTolerated: true },
};
const lostImage: Drift = { ...edited, part: 'image', path: 'x:1', state: 'missing', reason: 'it is lost' };
const files = Array.from(
  { length: 30 },
  (_, index): Drift => ({
    ...edited,
    ...{ part: 'file', path: `/c/web.0/rootfs/f\u001b${index}`, state: 'changed' },
  }),
);

test('no containers, one, and several in order', () => {
  expect(formatDrifts([], checkouts)).toBe('There are no containers.\n');
  expect(formatDrifts([{ name: 'web', drifts: [] }], checkouts)).toBe('The container is in order.\n');
  const tolerated = formatDrifts(
    [
      { name: 'db', drifts: [] },
      { name: 'web', drifts: [disabled] },
    ],
    checkouts,
  );
  expect(tolerated).toEndWith(' web.service\n2 containers: all in order.\n');
});

test('at most 20 lines for a container, without control characters', () => {
  const lines = formatDrifts([{ name: 'web', drifts: files }], checkouts).split('\n');
  expect(lines).toHaveLength(1 + 20 + 1 + 3);
  expect(lines[1]).toMatch(/ web\.0\/rootfs\/f\S*0$/);
  expect(lines.join('')).not.toContain('\u001b');
  expect(lines[21]).toEndWith(' and 10 more');
  expect(lines[23]).toBe('To repair: atomic containers verify --repair web');
});

test('a repair is proposed only for what it can repair', () => {
  const text = formatDrifts(
    [
      { name: 'db', drifts: [lostImage] },
      { name: 'web', drifts: [edited] },
    ],
    checkouts,
  );
  expect(text).toContain('\ndb: x:1: it is lost\n2 containers: 2 with differences.\n');
  expect(text).toEndWith('To repair: atomic containers verify --repair web\n');
  expect(formatDrifts([{ name: 'db', drifts: [lostImage] }], checkouts)).not.toContain('To repair');
});

test('what was repaired, what is left, and the next command', () => {
  const repair = {
    ...{ name: 'web', before: [edited, ...files], after: [edited] },
    ...{ failure: undefined, staleMounts: [{ name: 'web.0', directory: '/mnt' }] },
  };
  const all = formatDriftRepairs([repair], checkouts, false);
  expect(all).toStartWith('Repaired:\n');
  expect(all).toContain('\nLeft:\n   CONTAINER  PART  STATE   PATH\n');
  expect(all).toEndWith(
    [
      '1 container: 1 with differences.',
      'To replace edited files too: atomic containers verify --repair web',
      'Services use the repaired files after: atomic restart web',
      '/mnt shows the old files until it is mounted again: atomic umount /mnt && atomic mount web.0 /mnt',
      '',
    ].join('\n'),
  );
  const failed = formatDriftRepairs(
    [{ ...repair, after: repair.before, failure: 'no space' }],
    checkouts,
    true,
  );
  expect(failed).toContain('web: not repaired: no space\n');
  expect(failed).toContain('\nThe store may have the same damage: atomic images verify --repair\n');
  expect(failed).not.toContain('Repaired');
  expect(failed).not.toContain('To replace');
});
