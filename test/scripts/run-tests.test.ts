/** How scripts/run-tests.ts adds up: real runs of `bun test` on small files in a temporary folder. */
import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

setDefaultTimeout(60_000);

const root = join(import.meta.dir, '../..');
const header = "import { expect, test } from 'bun:test';\n";
const passing = `${header}test('a', () => {});\ntest('b', () => {});\ntest.skip('c', () => {});\n`;

const cases: [what: string, files: Record<string, string>, lines: string[], status: number][] = [
  ['passed and skipped tests', { 'test/pure/case-1.test.ts': passing }, ['2 passed, 0 failed'], 0],
  [
    'a failed test',
    {
      'test/pure/case-1.test.ts': passing,
      'test/cli/case-2.test.ts': `${header}test('d', () => expect(1).toBe(2));\n`,
    },
    ['failed: unit tests (1)', '2 passed, 1 failed'],
    1,
  ],
  [
    'a test that ends the process as if all were well',
    { 'test/pure/case-1.test.ts': `${header}test('a', () => process.exit(0));\n` },
    [
      'no result: test/pure/case-1.test.ts (the run ended with 0)',
      'failed: unit tests (1)',
      '0 passed, 1 failed',
    ],
    1,
  ],
  [
    'a file that cannot be loaded, beside others',
    { 'test/store/case-1.test.ts': "throw new Error('no');\n", 'test/store/case-2.test.ts': passing },
    [
      'no result: test/store/case-1.test.ts (the run ended with 1)',
      'failed: store tests (1)',
      '2 passed, 1 failed',
    ],
    1,
  ],
  [
    'no file',
    { 'test/pure/other.test.ts': passing },
    ['failed: no test file for case (1)', '0 passed, 1 failed'],
    1,
  ],
];

test.each(cases)('counts %s', (_what, files, lines, status) => {
  expect(runTests(files, ['case'])).toEqual([lines, status]);
});

describe('tests by name', () => {
  const files = {
    'test/pure/case-1.test.ts': `${header}test('an (odd) name', () => {});\ntest('b', () => expect(1).toBe(2));\n`,
    'test/cli/case-2.test.ts': `${header}test('c', () => expect(1).toBe(2));\n`,
  };

  test('run alone, in the files that contain the name', () => {
    expect(runTests(files, ['--name=(odd) n'])).toEqual([['1 passed, 0 failed'], 0]);
  });

  test('run beside a file that has the name only in its text', () => {
    const text = { 'test/store/case-3.test.ts': `${header}// an (odd) name\ntest('e', () => {});\n` };
    expect(runTests({ ...files, ...text }, ['--name=(odd) n'])).toEqual([['1 passed, 0 failed'], 0]);
  });

  test.each(['none', "from 'bun:test'"])('fail when no test is named %s', (name) => {
    expect(runTests(files, [`--name=${name}`])).toEqual([
      [`failed: no test named ${name} (1)`, '0 passed, 1 failed'],
      1,
    ]);
  });
});

test('every fuzz target has a run of its own', () => {
  const target = `${header}test('target one', () => expect(process.env.ATOMIC_FUZZ_SECONDS).toBe('7'));\n`;
  const files = {
    'test/fuzz/fuzz.test.ts': `${target}test('target-two one', () => {});\n`,
    'test/fuzz/corpus/target/input': '',
    'test/fuzz/corpus/target-two/input': '',
  };
  expect(runTests(files, ['--fuzz=7'])).toEqual([['2 passed, 0 failed'], 0]);
});

/** @returns the lines that count, and the status */
function runTests(
  files: Readonly<Record<string, string>>,
  words: readonly string[],
): [string[], number | null] {
  const folder = mkdtempSync(join(tmpdir(), 'atomic-run-tests-'));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const run = spawnSync(join(root, 'node_modules/.bin/bun'), [join(root, 'scripts/run-tests.ts'), ...words], {
    cwd: folder,
    encoding: 'utf8',
  });
  rmSync(folder, { recursive: true });
  const last = run.stdout.split('\n').filter((line) => /^no result: |^failed: | passed, /.test(line));
  return [last, run.status];
}
