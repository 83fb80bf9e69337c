import { expect, test } from 'bun:test';
import { formatArgv } from '../../src/base/format-argv.ts';
import { escapeText } from '../../src/cli/output/escape-text.ts';
import { formatJson, formatJsonLine } from '../../src/cli/output/format-json.ts';
import { wrapText } from '../../src/cli/output/text-width.ts';

test.each([
  [['systemctl', 'daemon-reload'], 'systemctl daemon-reload'],
  [
    ['systemd-tmpfiles', '--create', '/etc/tmpfiles.d/a_b.conf'],
    'systemd-tmpfiles --create /etc/tmpfiles.d/a_b.conf',
  ],
  [['a', '', 'b c', "it's", '$X'], "a '' 'b c' 'it'\\''s' '$X'"],
])('formatArgv(%p)', (argv, text) => {
  expect(formatArgv(argv)).toBe(text);
});

test('lists are indented by four spaces, and nothing but ASCII is left', () => {
  expect(formatJson([])).toBe('[]\n');
  expect(formatJson([{ name: 'a', text: 'é\u001b\u202e😀\u007f' }])).toBe(
    '[\n    {\n        "name": "a",\n        "text": "\\u00e9\\u001b\\u202e\\ud83d\\ude00\\u007f"\n    }\n]\n',
  );
  expect(formatJsonLine({ a: ['é'] })).toBe('{"a":["\\u00e9"]}\n');
});

test('what escapeText changes can be seen', () => {
  expect(escapeText('a\tb\nc')).toBe('a\tb\nc');
  expect(escapeText('\u001b[31m\r\u0000\u007f\u009b\u202e\ufeff')).toBe(
    '\\x1b[31m\\x0d\\x00\\x7f\\x9b\\u202e\\ufeff',
  );
  expect(escapeText('é 😀 \ud800')).toBe('é 😀 \ufffd');
});

test.each([
  ['a bb ccc dddd', 6, ['a bb', 'ccc', 'dddd']],
  ['a bb ccc dddd', 8, ['a bb ccc', 'dddd']],
  ['incomprehensible a', 5, ['incomprehensible', 'a']],
  ['', 5, ['']],
])('wrapText(%p, %p)', (text, width, lines) => {
  expect(wrapText(text, width)).toEqual(lines);
});
