import { expect, test } from 'bun:test';
import { verbs } from '../../src/commands/verbs.ts';

test('every verb has one entry', () => {
  const paths = verbs.map(({ path }) => path);
  expect(new Set(paths).size).toBe(paths.length);
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
