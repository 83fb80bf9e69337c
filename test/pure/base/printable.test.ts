import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { redactCredentials, toPrintable } from '../../../src/base/printable.ts';
import { anyText } from '../../support/any-text.ts';

test.each([
  ['plain text stays', 'etcd-3.5 “ok” äöü 日本 👩‍💻', 'etcd-3.5 “ok” äöü 日本 👩‍💻'],
  ['colours', '\x1b[31mred\x1b[0m', 'red'],
  ['a window title', 'a\x1b]0;title\x07b\x1b]0;t\x1b\\c', 'abc'],
  ['a lone escape', 'a\x1bb\x9bc', 'ab'],
  ['line breaks and tabs', 'a\r\nb\tc\u2028d\n', 'a b c d '],
  ['C0, DEL and C1', '\x00a\x08b\x7fc\x80d\x9f', 'abcd'],
  ['direction overrides', 'a\u202eb\u2066c\u200fd\ufeff', 'abcd'],
  ['a lone surrogate', 'a\ud800b', 'a\ufffdb'],
  ['a password', 'get https://me:pw@reg/x and https://reg/y', 'get https://***@reg/x and https://reg/y'],
  ['a password behind a control character', 'https://me:p\x00w@reg', 'https://***@reg'],
])('toPrintable: %s', (_, text, expected) => {
  expect(toPrintable(text)).toBe(expected);
});

test.each([
  ['short', 5, 'short'],
  ['longer text', 8, 'longe...'],
  ['aaaa😀aaaa', 8, 'aaaa...'],
  ['https://user:secret@host/path', 20, 'https://***@host/...'],
])('toPrintable cuts %j to %d', (text, length, expected) => {
  expect(toPrintable(text, length)).toBe(expected);
});

test.each([
  ['docker://u:p@h:5000/x', 'docker://***@h:5000/x'],
  ['HTTP://u@h', 'HTTP://***@h'],
  ['https://u:p@ss@h/', 'https://***@h/'],
  ['https://h/a@b', 'https://h/a@b'],
  ['u:p@h', 'u:p@h'],
  ['(https://u:p@h) https://v:q@i', '(https://***@h) https://***@i'],
])('redactCredentials %j', (text, expected) => {
  expect(redactCredentials(text)).toBe(expected);
});

test('toPrintable removes everything that a terminal obeys, and is stable', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const printable = toPrintable(text);
      expect(printable).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
      expect(printable.isWellFormed()).toBe(true);
      expect(toPrintable(printable)).toBe(printable);
    }),
  );
});
