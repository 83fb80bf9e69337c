import { expect, test } from 'bun:test';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { runHelp } from '../../src/commands/run-help.ts';
import { verbs } from '../../src/commands/verbs.ts';

/** To accept new texts: UPDATE_GOLDEN=1 bun test test/commands/help.test.ts, then read the difference. */
const update = process.env.UPDATE_GOLDEN === '1';
const groups = [...new Set(verbs.map(({ path }) => path).filter((path) => path.includes(' ')))].map((path) =>
  path.replace(/ .*/, ''),
);

test.each(['', ...groups, ...verbs.map(({ path }) => path)])('help of %p', async (topic) => {
  const { text } = await runHelp(topic);
  const name = topic === '' ? 'atomic' : topic.replaceAll(' ', '-');
  const file = fileURLToPath(new URL(`../golden/help/${name}.txt`, import.meta.url));
  if (update) writeFileSync(file, text);
  expect(text).toBe(readFileSync(file, 'utf8'));
  const tooLong = text.split('\n').filter((line) => line.length > 80 && !line.startsWith('  atomic '));
  expect(tooLong).toEqual([]);
});
