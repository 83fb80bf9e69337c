import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { parseJson, parseJsonObject, tryParseJson } from '../../../src/base/json-text.ts';

const parse = (text: string): unknown => parseJsonObject(text, 100_000, (problem) => new Error(problem));

describe('parseJsonObject', () => {
  test.each([
    ['', 'line 1, column 1: unexpected end of the file'],
    ['{"a": 1,}', "line 1, column 9: unexpected '}'"],
    ['{\n  "a" 1\n}', "line 2, column 7: unexpected '1'"],
    ['{"a": [1,\n]}', "line 2, column 1: unexpected ']'"],
    ['{"a": [1 2]}', "line 1, column 10: unexpected '2'"],
    ['{"a": "b\nc"}', 'line 1, column 9: unexpected end of the line'],
    ['{"a": "\t"}', 'line 1, column 8: unexpected character U+0009'],
    ['{"a": "\\x"}', "line 1, column 9: unexpected 'x'"],
    ['{"a": "\\u12g4"}', "line 1, column 9: unexpected 'u'"],
    ['{"a": tru}', "line 1, column 7: unexpected 't'"],
    ['{"a": 01}', "line 1, column 8: unexpected '1'"],
    ['{"a": -}', "line 1, column 7: unexpected '-'"],
    ['{a: 1}', "line 1, column 2: unexpected 'a'"],
    ['{"😀": }', "line 1, column 7: unexpected '}'"],
    ['{"a": {}', 'line 1, column 9: unexpected end of the file'],
    ['{} x', "line 1, column 4: unexpected 'x'"],
    ['\ufeff{}', "line 1, column 1: unexpected '\ufeff'"],
    ['[]', 'the document must be an object'],
    ['null', 'the document must be an object'],
    ['"text"', 'the document must be an object'],
    [`{"a": "${'x'.repeat(100_000)}"}`, 'the file is longer than 100000 characters'],
    ['['.repeat(64), 'line 1, column 65: unexpected end of the file'],
    ['['.repeat(50_000), 'line 1, column 65: nested deeper than 64 levels'],
    [`{"a":\n${'[{"b":'.repeat(32)}1`, 'line 2, column 188: nested deeper than 64 levels'],
  ])('refuses %.20j', (text, problem) => {
    expect(() => parse(text)).toThrow(new Error(problem));
  });

  test('strings do not count as brackets, nor brackets that are closed', () => {
    expect(parse(`{"${'['.repeat(100)}": "\\"${'{'.repeat(100)}"}`)).toEqual({
      ['['.repeat(100)]: `"${'{'.repeat(100)}`,
    });
    expect(parse(`{"a": [${'[],'.repeat(1000)}${'['.repeat(62)}${']'.repeat(62)}]}`)).toBeDefined();
  });

  test('returns what JSON.parse returns, with __proto__ as an ordinary key', () => {
    const object = parse('{"a": [1, "x", null, {"b": true}], "__proto__": {"c": 1}}');
    expect(JSON.stringify(object)).toBe('{"a":[1,"x",null,{"b":true}],"__proto__":{"c":1}}');
  });

  test('finds a problem in every text that JSON.parse refuses, and in no other', () => {
    const broken = fc.tuple(
      fc.json(),
      fc.nat(),
      fc.constantFrom('', ',', '}', ']', '"', '\\', ' ', '1', ':'),
    );
    fc.assert(
      fc.property(broken, ([json, position, insert]) => {
        const document = `{"v":${json}}`;
        const at = position % (document.length + 1);
        const text = document.slice(0, at) + insert + document.slice(at + 1);
        let valid = true;
        try {
          JSON.parse(text);
        } catch {
          valid = false;
        }
        if (valid) return;
        expect(() => parse(text)).toThrow(/^line 1, column \d+: unexpected ./);
      }),
      { numRuns: 500 },
    );
  });
});

describe('hostile documents', () => {
  const size = 4 * 1024 * 1024;

  test.each([
    ['deep', '['.repeat(size), /^nested deeper than 64 levels$/],
    ['deep, in objects', '{"":'.repeat(size / 4), /^nested deeper than 64 levels$/],
    ['wide', `[${'[],'.repeat(size / 3)}1]`, /^more than 250000 values$/],
    ['of small values', `[${'0,'.repeat(size / 2)}0]`, /^more than 250000 values$/],
    ['of keys', `{${'"":0,'.repeat(size / 5)}"":0}`, /^more than 250000 values$/],
    ['an open string', `["${'\\"'.repeat(size / 2)}`, /./],
  ])('%s: is refused before a tree is built', (_, text, problem) => {
    const before = process.memoryUsage().rss;
    expect(() => parseJson(text)).toThrow(problem);
    expect(() => parseJson(text)).toThrow(SyntaxError);
    expect(() => parseJsonObject(text, size * 2, (reason) => new RangeError(reason))).toThrow(RangeError);
    expect(tryParseJson(text)).toBeUndefined();
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024);
  });
});
