/** A call with many arguments cannot be read without the declaration: functions with more parameters take a record. */
import { expect, test } from 'bun:test';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SyntaxKind } from 'typescript/unstable/ast';
import { scanTokens, type Token } from './source-tokens.ts';

const MAX_PARAMETERS = 4;

const root = join(import.meta.dir, '../..');

test('no function has five or more parameters', () => {
  const long = globSync('src/**/*.ts', { cwd: root }).flatMap((path) =>
    listParameterLists(scanTokens(readFileSync(join(root, path), 'utf8')))
      .filter(({ count }) => count > MAX_PARAMETERS)
      .map(({ name, line, count }) => `${path}:${line} ${name} has ${count}`),
  );
  expect(long.sort()).toEqual([]);
});

test('parameters of every form of function are counted', () => {
  const source = `
    export async function first<T>(a: Map<string, T>, b?: [x: T, y: T], { c, d }: E = {}, ...rest: string[],): T {}
    const second = (a, b, [c, d], e) => call(a, b, c, d, e);
    class C { constructor(private readonly a: A, b: (x: X, y: Y) => Z) {} }
    interface I { readonly third: (a: A, b: B) => void; fourth(this: I): void }
    if (a, b, c) while ((a ? b : c, d)) f(g, h ? i : j);
  `;
  expect(listParameterLists(scanTokens(source)).map(({ name, count }) => `${name} ${count}`)).toEqual([
    'first 4',
    'second 4',
    'constructor 2',
    'b 2',
    'third 2',
    'fourth 1',
  ]);
});

interface ParameterList {
  readonly name: string;
  readonly line: number;
  readonly count: number;
}

/** Parentheses are a parameter list when an arrow follows, or a typed name begins them. Empty lists are left out. */
function listParameterLists(tokens: readonly Token[]): ParameterList[] {
  return tokens.flatMap((token, start) => {
    if (token.kind !== SyntaxKind.OpenParenToken) return [];
    const end = findEnd(tokens, start);
    const isArrow = tokens[end + 1]?.kind === SyntaxKind.EqualsGreaterThanToken;
    const count = countItems(tokens.slice(start + 1, end));
    if (count === 0 || !(isArrow || beginsWithTypedName(tokens, start + 1))) return [];
    return [{ name: findName(tokens, start), line: token.line, count }];
  });
}

const OPENING = new Set([
  SyntaxKind.OpenParenToken,
  SyntaxKind.OpenBraceToken,
  SyntaxKind.OpenBracketToken,
  SyntaxKind.LessThanToken,
]);

const CLOSING = new Set([
  SyntaxKind.CloseParenToken,
  SyntaxKind.CloseBraceToken,
  SyntaxKind.CloseBracketToken,
  SyntaxKind.GreaterThanToken,
]);

/** The parenthesis that closes the one at `start`. */
function findEnd(tokens: readonly Token[], start: number): number {
  let depth = 0;
  for (let at = start; at < tokens.length; at++) {
    if (tokens[at]?.kind === SyntaxKind.OpenParenToken) depth++;
    if (tokens[at]?.kind === SyntaxKind.CloseParenToken && --depth === 0) return at;
  }
  return tokens.length;
}

function countItems(tokens: readonly Token[]): number {
  let depth = 0;
  let count = 0;
  let isBetween = true;
  for (const { kind } of tokens) {
    if (OPENING.has(kind)) depth++;
    if (CLOSING.has(kind)) depth--;
    if (depth === 0 && kind === SyntaxKind.CommaToken) {
      isBetween = true;
    } else if (isBetween) {
      isBetween = false;
      count++;
    }
  }
  return count;
}

const MODIFIERS = new Set(['private', 'public', 'protected', 'readonly', '...']);

/** `name:`, `name?:`, `{ pattern }:` or `[pattern]:`, which no expression begins with. */
function beginsWithTypedName(tokens: readonly Token[], first: number): boolean {
  let at = first;
  while (MODIFIERS.has(tokens[at]?.text ?? '')) at++;
  const closing = new Map([
    ['{', '}'],
    ['[', ']'],
  ]).get(tokens[at]?.text ?? '');
  if (closing !== undefined) while (at < tokens.length && tokens[at]?.text !== closing) at++;
  if (tokens[at + 1]?.kind === SyntaxKind.QuestionToken) at++;
  return tokens[at + 1]?.kind === SyntaxKind.ColonToken;
}

/** The last name before the list, past type parameters, `async`, `=` and `:`. */
function findName(tokens: readonly Token[], start: number): string {
  const before = tokens.slice(Math.max(0, start - 8), start).filter(({ text }) => text !== 'async');
  const generic = before.findLastIndex(({ kind }) => kind === SyntaxKind.LessThanToken);
  const isGeneric = before.at(-1)?.kind === SyntaxKind.GreaterThanToken;
  return (
    (isGeneric ? before.slice(0, generic) : before).findLast(({ text }) => /^\w+$/.test(text))?.text ?? ''
  );
}
