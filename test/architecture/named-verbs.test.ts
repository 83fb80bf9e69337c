/** Every command in a message or a document exists. */
import { expect, test } from 'bun:test';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findMembers, isCalled } from '../../src/cli/arguments/find-verb.ts';
import { verbs } from '../../src/commands/verbs.ts';

const root = join(import.meta.dir, '../..');
/** `atomic VERB` between backticks, escaped ones too, and at the end of a hint. */
const COMMAND = /(?:\\?`|hint: .*: )atomic ([a-z]+(?: [a-z]+)?)/g;

function isVerb(words: string): boolean {
  const [first = ''] = words.split(' ');
  if (first === 'help' || verbs.some((verb) => isCalled(verb, first) || isCalled(verb, words))) return true;
  return words === first && findMembers(first, verbs).length > 0;
}

test('every command that a text names is a verb', () => {
  const files = ['src/**/*.ts', 'docs/**/*.md', 'README.md'].flatMap((pattern) =>
    globSync(pattern, { cwd: root }),
  );
  const named = files.flatMap((path) =>
    [...readFileSync(join(root, path), 'utf8').matchAll(COMMAND)].map(([, words = '']) => ({ path, words })),
  );
  expect(named.length).toBeGreaterThan(40);
  expect(named.filter(({ words }) => !isVerb(words))).toEqual([]);
});
