import { expect, test } from 'bun:test';
import { findVerb } from '../../src/cli/arguments/find-verb.ts';
import { findForeignAdvice } from '../../src/cli/arguments/foreign-words.ts';
import { verbs } from '../../src/commands/verbs.ts';

test('every verb has one entry', () => {
  const paths = verbs.map(({ path }) => path);
  expect(new Set(paths).size).toBe(paths.length);
});

/** The verbs of docker and podman that people type. */
const foreign =
  'attach build commit container cp create exec history image images import info inspect kill load login logout logs ls ' +
  'network pause port ps pull push rename restart rm rmi run save search start stats stop system tag top unpause update ' +
  'version volume wait';

test.each(foreign.split(' '))('%p of docker runs a verb, or the error names the command', (word) => {
  try {
    expect(findVerb([word], verbs).kind).toBe('verb');
  } catch (error) {
    expect(error).toMatchObject({ code: 'UNKNOWN_COMMAND', hint: expect.stringMatching(/\w/) });
  }
});

test('a command in the advice for words of other programs is a command of atomic', () => {
  for (const word of foreign.split(' ')) {
    for (const [, line = ''] of (findForeignAdvice(word) ?? '').matchAll(/atomic ([a-z]+(?: [a-z]+)?)/g)) {
      expect(findVerb(line.split(' '), verbs).kind).toBe('verb');
    }
  }
});

test.each(verbs.map(({ path, load }) => ({ path, load })))(
  'no two options of $path have the same name',
  async ({ load }) => {
    const { options } = await load();
    const names = Object.entries(options).flatMap(([name, { short, aliases = [] }]) => [
      `--${name}`,
      ...aliases.map((alias) => `--${alias}`),
      ...(short === undefined ? [] : [`-${short}`]),
    ]);
    expect(names.filter((name) => name === '--help' || name === '-h')).toEqual([]);
    expect([...new Set(names)]).toEqual(names);
  },
);

test.each(verbs.map(({ path, load }) => ({ path, load })))(
  'the examples of $path are command lines of it',
  async ({ path, load }) => {
    const { examples } = await load();
    const commands = examples
      .flatMap((example) => example.commands)
      .filter((line) => !line.startsWith('systemctl '));
    expect(commands.length).toBeGreaterThan(0);
    expect(commands.filter((line) => !line.startsWith(`atomic ${path}`))).toEqual([]);
  },
);
