import { SyntaxKind } from 'typescript/unstable/ast';
import { createScanner } from 'typescript/unstable/ast/scanner';

export interface Token {
  readonly kind: SyntaxKind;
  /** As written, but the value of a string literal. */
  readonly text: string;
  /** Counted from 1. */
  readonly line: number;
}

/**
 * Tokens of a TypeScript source without comments and white space. The parser tells the scanner where a `/` begins a
 * regular expression and a `}` goes on with a template; there is no parser here, so both are decided by what stands
 * before them.
 */
export function scanTokens(source: string): Token[] {
  const scanner = createScanner(true, undefined, source);
  const tokens: Token[] = [];
  const openBraces: SyntaxKind[] = [];
  let line = 1;
  let counted = 0;
  for (let kind = scanner.scan(); kind !== SyntaxKind.EndOfFile; kind = scanner.scan()) {
    if (kind === SyntaxKind.SlashToken || kind === SyntaxKind.SlashEqualsToken) {
      if (!endsExpression(tokens.at(-1)?.kind)) kind = scanner.reScanSlashToken();
    } else if (kind === SyntaxKind.OpenBraceToken || kind === SyntaxKind.TemplateHead) {
      openBraces.push(kind);
    } else if (kind === SyntaxKind.CloseBraceToken) {
      if (openBraces.at(-1) === SyntaxKind.TemplateHead) kind = scanner.reScanTemplateToken(false);
      if (kind !== SyntaxKind.TemplateMiddle) openBraces.pop();
    }
    for (; counted < scanner.getTokenStart(); counted++) if (source[counted] === '\n') line++;
    const text = kind === SyntaxKind.StringLiteral ? scanner.getTokenValue() : scanner.getTokenText();
    tokens.push({ kind, text, line });
  }
  return tokens;
}

const EXPRESSION_ENDS = new Set([
  SyntaxKind.Identifier,
  SyntaxKind.NumericLiteral,
  SyntaxKind.BigIntLiteral,
  SyntaxKind.StringLiteral,
  SyntaxKind.RegularExpressionLiteral,
  SyntaxKind.NoSubstitutionTemplateLiteral,
  SyntaxKind.TemplateTail,
  SyntaxKind.CloseParenToken,
  SyntaxKind.CloseBracketToken,
  SyntaxKind.CloseBraceToken,
  SyntaxKind.ThisKeyword,
  SyntaxKind.TrueKeyword,
  SyntaxKind.FalseKeyword,
  SyntaxKind.NullKeyword,
]);

function endsExpression(kind: SyntaxKind | undefined): boolean {
  return kind !== undefined && EXPRESSION_ENDS.has(kind);
}
