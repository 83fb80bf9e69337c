/** Completion over the real tables: what it proposes, the parser accepts. */
import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { parseArguments } from '../../src/cli/arguments/parse-arguments.ts';
import { completeArgument, completeVerb } from '../../src/cli/completion/complete-words.ts';
import { verbs } from '../../src/commands/verbs.ts';
import { findError } from '../support/thrown-error.ts';

function proposeFor(words: readonly string[]): readonly string[] {
  const found = completeVerb(words, verbs);
  return found.kind === 'candidates' ? found.candidates.map(({ text }) => text) : [];
}

test('every verb can be reached with what is proposed', () => {
  const reached = proposeFor(['']).flatMap((first) => {
    const seconds = proposeFor([first, '']);
    return seconds.length === 0 || first === 'help' ? [first] : seconds.map((second) => `${first} ${second}`);
  });
  expect(reached.sort()).toEqual([...verbs.map(({ path }) => path), 'help'].sort());
});

test.each([...verbs])('the parser knows every option that is proposed for $path', async ({ path, load }) => {
  const spec = await load();
  const completion = completeArgument(spec, ['--x']);
  if (completion.kind !== 'candidates') throw new Error('options are candidates');
  expect(completion.candidates.length).toBeGreaterThan(Object.keys(spec.options).length);
  for (const { text, description } of completion.candidates) {
    const error = findError(() => parseArguments(path, spec, [`${text}=`]));
    expect(error?.message ?? '').not.toContain('Unknown option');
    expect(description).not.toBe('');
  }
});

test('any words have an answer', async () => {
  const specs = await Promise.all(verbs.map(({ load }) => load()));
  const options = specs.flatMap((spec) => Object.keys(spec.options).map((name) => `--${name}`));
  const paths = verbs.flatMap(({ path }) => path.split(' '));
  const word = fc.oneof(
    fc.constantFrom(...options, ...paths, '--', '-', '=', '-y', '--debug', 'help', ''),
    fc.string({ unit: 'grapheme', maxLength: 12 }),
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 6 }), fc.constantFrom(...specs), (words, spec) => {
      expect(completeVerb(words, verbs).kind).toMatch(/^(?:candidates|verb)$/);
      expect(completeArgument(spec, words).kind).toMatch(/^(?:candidates|values)$/);
    }),
  );
});
