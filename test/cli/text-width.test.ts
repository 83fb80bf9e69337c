import { describe, expect, test } from 'bun:test';
import { cutText, foldMessage, foldText, measureWidth } from '../../src/cli/output/text-width.ts';

test.each([
  { text: '', width: 0 },
  { text: 'etcd', width: 4 },
  { text: '映像', width: 4 },
  { text: '🧱', width: 2 },
  { text: 'e\u0301', width: 1 },
  { text: '👨‍👩‍👧', width: 2 },
])('$text takes $width columns', ({ text, width }) => {
  expect(measureWidth(text)).toBe(width);
});

describe('a cut', () => {
  test.each([
    { text: 'registry.example.com/etcd:3.5', width: 16, place: 'middle', cut: 'regist...tcd:3.5' },
    { text: 'registry.example.com/etcd:3.5', width: 16, place: 'end', cut: 'registry.exam...' },
    { text: 'etcd', width: 4, place: 'middle', cut: 'etcd' },
    { text: 'etcd2', width: 4, place: 'middle', cut: '...2' },
    { text: '映像映像映像', width: 9, place: 'middle', cut: '映...像' },
    { text: '👨‍👩‍👧👨‍👩‍👧👨‍👩‍👧', width: 5, place: 'end', cut: '👨‍👩‍👧...' },
  ] as const)('of $text to $width at the $place', ({ text, width, place, cut }) => {
    expect(cutText(text, width, place)).toBe(cut);
  });
});

test.each([
  { text: 'the registry does not answer', width: 12, lines: ['the registry', 'does not', 'answer'] },
  { text: 'aaaaaaaaaaaa b', width: 5, lines: ['aaaaa', 'aaaaa', 'aa', 'b'] },
  { text: '映像', width: 1, lines: ['映', '像'] },
  { text: '', width: 5, lines: [''] },
])('$text is folded', ({ text, width, lines }) => {
  expect(foldText(text, width)).toEqual(lines);
});

describe('a message', () => {
  test('is broken at its blanks, with an indent; a path stays whole', () => {
    expect(foldMessage('error: the registry does not answer\nshort\n', 20)).toBe(
      'error: the\n  registry does not\n  answer\nshort\n',
    );
    expect(foldMessage('Asks: /usr/share/zoneinfo/Europe of the host', 20)).toBe(
      'Asks:\n  /usr/share/zoneinfo/Europe\n  of the host',
    );
  });

  test('keeps what is in backticks together', () => {
    expect(foldMessage('hint: see `ls -l /etc` for the owner', 24)).toBe(
      'hint: see `ls -l /etc`\n  for the owner',
    );
    expect(foldMessage('a'.repeat(99), undefined)).toBe('a'.repeat(99));
  });

  test.each([
    'hint: Start the service: atomic start kubernetes-controller',
    '  at run (src/commands/images/list.ts:12:3)',
  ])('with a command stays whole: %s', (line) => {
    expect(foldMessage(line, 20)).toBe(line);
  });
});
