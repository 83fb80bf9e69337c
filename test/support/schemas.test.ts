import { describe, expect, test } from 'bun:test';
import { verbs } from '../../src/commands/verbs.ts';
import { requireJsonRun, requireSchema, schemaNames } from './schemas.ts';

test('each verb that prints JSON has a schema, and each schema a verb', async () => {
  const loaded = await Promise.all(
    verbs.map(async ({ path, load }) => ({ path, options: (await load()).options })),
  );
  const documents = loaded.flatMap(({ path, options }) =>
    'json' in options ? [path.replace(' ', '-')] : [],
  );
  expect(schemaNames).toEqual([...documents, 'error', 'progress'].sort());
});

describe('a document that is not as its schema says', () => {
  const row = { reference: 'a:1', id: null };
  test.each([
    ['has a key that is not documented', { schemaVersion: 1, deleted: [{ ...row, size: 1 }] }],
    ['lacks a key', { schemaVersion: 1, deleted: [{ reference: 'a:1' }] }],
    ['has a value of another type', { schemaVersion: 1, deleted: [{ ...row, id: 'x' }] }],
    ['has another version', { schemaVersion: 2, deleted: [row] }],
  ])('%s', (_, document) => {
    expect(() => requireSchema('images-delete', JSON.stringify(document))).toThrow(
      'docs/schemas/images-delete.json',
    );
  });
});

describe('a run', () => {
  const error = { code: 'IO', message: 'm', hint: null, details: {} };
  const run = { args: ['-y', 'uninstall', '--json', 'a'], stdout: '', stderr: '', status: 0 };
  const good = [
    { ...run, stdout: '{"schemaVersion":1,"uninstalled":"a","kept":[]}\n' },
    { ...run, stderr: `noise\n${JSON.stringify({ schemaVersion: 1, error })}\n`, status: 1 },
    { ...run, args: ['images', 'list', '-q', '--json'], stdout: '00\n' },
    { ...run, args: ['uninstall', 'a'], stdout: 'systemctl daemon-reload\n' },
  ];
  test.each(good)('is as documented: $args $stderr', (run) => requireJsonRun(run));

  const bad = [
    { ...run, stdout: '{"schemaVersion":1}\n' },
    { ...run, args: ['images', 'inspect', 'a'], stdout: '[{}]\n' },
    {
      ...run,
      stderr: `${JSON.stringify({ schemaVersion: 1, error: { ...error, stack: '' } })}\n`,
      status: 1,
    },
    { ...run, stderr: 'error: text\n', status: 1 },
  ];
  test.each(bad)('is not as documented: $args $stderr', (run) => {
    expect(requireJsonRun(run)).rejects.toThrow();
  });
});
