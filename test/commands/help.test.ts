import { expect, test } from 'bun:test';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { helpTopics } from '../../src/cli/arguments/find-verb.ts';
import { topics } from '../../src/cli/help/topics.ts';
import { buildHelp } from '../../src/commands/run-help.ts';
import { verbs } from '../../src/commands/verbs.ts';

/** To accept new texts: UPDATE_GOLDEN=1 bun test test/commands/help.test.ts, then read the difference. */
const update = process.env.UPDATE_GOLDEN === '1';
const groups = [...new Set(verbs.map(({ path }) => path).filter((path) => path.includes(' ')))].map((path) =>
  path.replace(/ .*/, ''),
);

test.each(['', ...helpTopics, ...groups, ...verbs.map(({ path }) => path)])('help of %p', async (topic) => {
  const text = await buildHelp({ topic, isShort: true });
  const name = topic === '' ? 'atomic' : topic.replaceAll(' ', '-');
  const file = fileURLToPath(new URL(`../golden/help/${name}.txt`, import.meta.url));
  if (update) writeFileSync(file, text);
  expect(text).toBe(readFileSync(file, 'utf8'));
  expect(text.split('\n').filter((line) => line.length > 80)).toEqual([]);
});

test.each([...verbs])('`atomic help $path` has everything that its table has', async ({ path, load }) => {
  const { description, options, files, exitStatuses } = await load();
  const text = await buildHelp({ topic: path, isShort: false });
  const flat = text.replace(/\s+/g, ' ');
  const texts = [...Object.values(options).map((option) => option.description), ...description];
  const listed = [...files, ...exitStatuses].map((entry) => entry.text);
  expect([...texts, ...listed].filter((part) => !flat.includes(part))).toEqual([]);
  expect(text.split('\n').filter((line) => line.length > 80)).toEqual([]);
});

test('every topic of help has a text', () => {
  expect(topics.map(({ name }) => name)).toEqual([...helpTopics]);
});
