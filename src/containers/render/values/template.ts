import { AtomicError } from '../../../base/errors.ts';

/** The values of template variables; numbers are written in decimal. */
export type TemplateValues = Readonly<Record<string, string | number>>;

type TemplatePart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'invalid'; readonly offset: number };

const variableName = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Replaces the variables of a template by the rules of compatibility T-01: `$NAME` and `${NAME}` (the longest run of
 * ASCII letters, digits and `_`, not starting with a digit), `$$` for a dollar sign. Values are inserted without
 * quoting, and variables in them are not replaced.
 *
 * @param text the template
 * @param values by name
 * @param file how errors call the template, normally its path
 * @throws TEMPLATE_INVALID for a `$` that starts neither a variable nor `$$`
 * @throws TEMPLATE_UNSET_VARIABLE for a name without a value; the message names the first in the text
 */
export function substituteTemplate(text: string, values: TemplateValues, file: string): string {
  let result = '';
  for (const part of splitTemplate(text)) {
    if (part.kind === 'text') result += part.text;
    else if (part.kind === 'invalid') throw invalidPlaceholder(text, part.offset, file);
    else if (Object.hasOwn(values, part.name)) result += String(values[part.name]);
    else throw unsetVariable(text, values, part.name, file);
  }
  return result;
}

/** Lists the variables of a template, each once, in the order of their first use. Invalid placeholders are skipped. */
export function listVariables(text: string): readonly string[] {
  const names = new Set<string>();
  for (const part of splitTemplate(text)) if (part.kind === 'variable') names.add(part.name);
  return [...names];
}

/** Whether `name` can be written as `$NAME` in a template. */
export function isVariableName(name: string): boolean {
  return variableName.test(name);
}

function* splitTemplate(text: string): Generator<TemplatePart> {
  const placeholder = /\$(?:(\$)|([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)\}|)/g;
  let end = 0;
  for (const match of text.matchAll(placeholder)) {
    const [found, dollar, named, braced] = match;
    const name = named ?? braced;
    if (match.index > end) yield { kind: 'text', text: text.slice(end, match.index) };
    if (dollar !== undefined) yield { kind: 'text', text: '$' };
    else if (name !== undefined) yield { kind: 'variable', name };
    else yield { kind: 'invalid', offset: match.index };
    end = match.index + found.length;
  }
  if (end < text.length) yield { kind: 'text', text: text.slice(end) };
}

/** The words and the counting are those of Python: all its line breaks count, and columns count code points from 1. */
function invalidPlaceholder(text: string, offset: number, file: string): AtomicError {
  const lines = text.slice(0, offset).split(/\r\n|[\n\r\v\f\u001c-\u001e\u0085\u2028\u2029]/);
  const column = [...(lines.at(-1) ?? '')].length + 1;
  return new AtomicError(
    'TEMPLATE_INVALID',
    `The template file '${file}' cannot be used: Invalid placeholder in string: line ${lines.length}, col ${column}`,
    {
      hint: 'In a template a dollar sign is written as $$; a variable is $NAME or ${NAME}.',
      details: { file, line: lines.length, column },
    },
  );
}

function unsetVariable(text: string, values: TemplateValues, name: string, file: string): AtomicError {
  const unset = listVariables(text).filter((variable) => !Object.hasOwn(values, variable));
  return new AtomicError(
    'TEMPLATE_UNSET_VARIABLE',
    `The template file '${file}' still contains an unreplaced value for: ''${name}''`,
    {
      hint: `Give it a value: atomic install ${unset.map((variable) => `--set ${variable}=VALUE`).join(' ')} ...`,
      details: { file, unset },
    },
  );
}
