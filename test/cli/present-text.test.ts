import { expect, test } from 'bun:test';
import { formatAlreadyPresent } from '../../src/commands/containers/present-text.ts';
import type { PresentDifference } from '../../src/containers/container.ts';

const format = (...differences: PresentDifference[]) =>
  formatAlreadyPresent({ kind: 'already-present', name: 'web', differences });
const value = (name: string, installed: string | null, asked: string) =>
  ({ kind: 'value', name, installed, asked }) as const;

test('an install that asks for nothing else prints the line of the original', () => {
  expect(format()).toBe('web already present\n');
});

test('other values, with the command that sets them', () => {
  expect(format(value('PORT', '8081', '9999'))).toBe(
    'web is already present, with other values: PORT=8081 (asked: 9999); use: atomic containers update web --set PORT=9999\n',
  );
});

test('an empty value, a missing one, and one that a shell would read', () => {
  expect(format(value('A', '', 'x'), value('B', null, "it's"))).toBe(
    `web is already present, with other values: A= (asked: x), B not set (asked: it's); use: atomic containers update web --set A=x --set 'B=it'\\''s'\n`,
  );
});

test('another image and another runtime', () => {
  expect(
    format(
      { kind: 'image', name: 'image', installed: 'reg/a', asked: 'reg/b' },
      { kind: 'runtime', name: 'runtime', installed: '/usr/bin/runc', asked: '/usr/bin/crun' },
    ),
  ).toBe(
    'web is already present, with another image: reg/a (asked: reg/b), and another runtime: /usr/bin/runc (asked: /usr/bin/crun); ' +
      'use: atomic containers update web --rebase reg/b; to change the runtime, uninstall web and install it again\n',
  );
});

test('a long value is cut', () => {
  const text = format(value('A', 'x'.repeat(200), 'y'.repeat(200)));
  expect(text.length).toBeLessThan(300);
  expect(text).toEndWith('--set A=VALUE\n');
});
