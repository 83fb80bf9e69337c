import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import {
  isVariableName,
  listVariables,
  substituteTemplate,
} from '../../../src/containers/render/values/template.ts';
import { anyText } from '../../support/any-text.ts';
import { catchError } from '../../support/thrown-error.ts';

const values = { A: 'a', A_B: 'ab', b1: 'B1', _: 'under', N: 0, EMPTY: '', X: '$A ${A} $$', Q: '"\n' };
const fill = (text: string): string => substituteTemplate(text, values, 'file.template');

describe('substituteTemplate', () => {
  const cases: [string, string, string][] = [
    ['nothing to replace', 'plain { } text', 'plain { } text'],
    ['a plain variable', '$A', 'a'],
    ['a braced variable', '${A}', 'a'],
    ['the longest run', '$A_B ${A}_B', 'ab a_B'],
    ['digits behind a letter', '$b1', 'B1'],
    ['an underscore as a name', '$_.', 'under.'],
    ['a number', '$N', '0'],
    ['an empty value', '[$EMPTY]', '[]'],
    ['neighbours', '$A$A${A}', 'aaa'],
    ['an escaped dollar', '$$A $$${A} $$$$', '$A $a $$'],
    ['shell text', '$${VAR:-x}', '${VAR:-x}'],
    ['no second pass', '$X', '$A ${A} $$'],
    ['raw insertion', '["$Q"]', '[""\n"]'],
    ['a name that ends at a letter outside of ASCII', '$Aé', 'aé'],
    ['an empty text', '', ''],
  ];
  test.each(cases)('%s', (_, text, expected) => {
    expect(fill(text)).toBe(expected);
  });

  const invalid: [string, string, number, number][] = [
    ['a digit', '$1', 1, 1],
    ['a blank', 'ab$ c', 1, 3],
    ['the end', 'a\nb$', 2, 2],
    ['a dash in braces', '${A-b}', 1, 1],
    ['blanks in braces', '${ A }', 1, 1],
    ['empty braces', '${}', 1, 1],
    ['an open brace', '${A', 1, 1],
    ['a letter outside of ASCII', '$é', 1, 1],
    ['a dotless i, which folds to i', '$ı', 1, 1],
    ['behind escaped dollars', '$$$$$', 1, 5],
    ['behind CRLF', 'a\r\n\r\n  $ ', 3, 3],
    ['behind the line breaks of Python', '\v\f\x1c\x1d\x1e\x85\u2028\u2029$-', 9, 1],
    ['behind a character outside of the BMP', '😀$', 1, 2],
  ];
  test.each(invalid)('refuses a dollar sign before %s', (_, text, line, column) => {
    expect(catchError(() => fill(text))).toEqual({
      code: 'TEMPLATE_INVALID',
      message: `The template file 'file.template' cannot be used: Invalid placeholder in string: line ${line}, col ${column}`,
      hint: 'In a template a dollar sign is written as $$; a variable is $NAME or ${NAME}.',
    });
  });

  test('names the first unset variable, and all of them in the hint', () => {
    const template = '$A $MISSING $OTHER ${MISSING} $A';
    expect(catchError(() => substituteTemplate(template, values, '/d/etcd.0/x.template'))).toEqual({
      code: 'TEMPLATE_UNSET_VARIABLE',
      message: "The template file '/d/etcd.0/x.template' still contains an unreplaced value for: ''MISSING''",
      hint: 'Give it a value: atomic install --set MISSING=VALUE --set OTHER=VALUE ...',
    });
  });

  test.each(['constructor', '__proto__', 'toString'])('does not take %s from Object', (name) => {
    expect(catchError(() => fill(`$${name}`)).code).toBe('TEMPLATE_UNSET_VARIABLE');
  });

  test('reports what comes first: an unset variable or an invalid placeholder', () => {
    expect(catchError(() => fill('$UNSET $1')).code).toBe('TEMPLATE_UNSET_VARIABLE');
    expect(catchError(() => fill('$1 $UNSET')).code).toBe('TEMPLATE_INVALID');
  });

  test('an escaped text comes out as it was', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(substituteTemplate(text.replaceAll('$', '$$$$'), {}, 'f')).toBe(text);
      }),
    );
  });

  test('a value comes out as it went in, between any texts', () => {
    const noDollar = anyText.map((text) => text.replaceAll('$', ''));
    fc.assert(
      fc.property(noDollar, anyText, noDollar, (before, value, after) => {
        expect(substituteTemplate(`${before}\${V}${after}`, { V: value }, 'f')).toBe(before + value + after);
      }),
    );
  });

  test('never fails with values for all listed variables, unless a placeholder is invalid', () => {
    const part = fc.constantFrom('$', '{', '}', 'A', '_', '1', ' ', '\n', 'é');
    fc.assert(
      fc.property(fc.array(part), (parts) => {
        const text = parts.join('');
        const all = Object.fromEntries(listVariables(text).map((name) => [name, 'v']));
        try {
          substituteTemplate(text, all, 'f');
        } catch (error) {
          expect(error).toHaveProperty('code', 'TEMPLATE_INVALID');
        }
      }),
    );
  });
});

test('listVariables names each variable once, in order, and no escaped one', () => {
  expect(listVariables('${B} $A $$C $1 $B ${D-} $_')).toEqual(['B', 'A', '_']);
});

test.each([
  ['A', true],
  ['_a9', true],
  ['', false],
  ['9', false],
  ['A-B', false],
  ['A\n', false],
  ['é', false],
])('isVariableName(%j) is %p', (name, expected) => {
  expect(isVariableName(name)).toBe(expected);
});
