/** Helpers of tests are found where they are used: beside the tests of one folder, or in a folder `support`. */
import { expect, test } from 'bun:test';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

const root = join(import.meta.dir, '../..');

test('a helper that tests of several folders import is in test/support', () => {
  const imports = globSync('test/**/*.ts', { cwd: root }).flatMap((path) =>
    [...readFileSync(join(root, path), 'utf8').matchAll(/from '(\.[^']*)'/g)].map(([, name = '']) => ({
      path,
      helper: normalize(join(dirname(path), name)),
    })),
  );
  const helpers = imports.filter(({ helper }) => helper.startsWith('test/'));
  expect(helpers.length).toBeGreaterThan(100);
  expect(
    helpers.filter(({ path, helper }) => !path.startsWith(findScope(helper))).map(({ helper }) => helper),
  ).toEqual([]);
});

/** The folder whose tests may import a helper. */
function findScope(helper: string): string {
  const parts = dirname(helper).split('/');
  const support = parts.indexOf('support');
  return `${(support === -1 ? parts : parts.slice(0, support)).join('/')}/`;
}
