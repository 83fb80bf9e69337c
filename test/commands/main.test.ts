/** The program as a process: the text on each stream, and the exit status. */
import { afterAll, describe, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { version } from '../../package.json';
import { createTemporaryFolder } from '../support/temporary.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const folder = await createTemporaryFolder('main');
afterAll(() => folder.remove());
const env = {
  PATH: process.env.PATH ?? '',
  ATOMIC_CONF: folder.join('none.conf'),
  ATOMIC_OSTREE_CHECKOUT_PATH: folder.join('checkouts'),
  ATOMIC_OSTREE_REPO: folder.join('repo'),
};

function run(words: readonly string[]): { stdout: string; stderr: string; status: number | null } {
  const { stdout, stderr, status } = spawnSync(process.execPath, [main, ...words], { env, encoding: 'utf8' });
  return { stdout, stderr, status };
}

describe('what is printed', () => {
  test.each([
    { words: ['-v'], stdout: `atomic ${version}\ncommit unknown\n`, stderr: '', status: 0 },
    { words: ['--version'], stdout: `atomic ${version}\ncommit unknown\n`, stderr: '', status: 0 },
    { words: ['images', 'list'], stdout: '', stderr: '', status: 0 },
    { words: ['images', 'list', '--json'], stdout: '[]\n', stderr: '', status: 0 },
    {
      words: ['containers', 'list', '--no-trunc', '-n', '--all', '-f', 'backend=ostree', '-f', 'container=x'],
      stdout: '',
      stderr: '',
      status: 0,
    },
    {
      words: ['containers', 'list', '--json', '--all', '-f', 'container=x'],
      stdout: '[]\n',
      stderr: '',
      status: 0,
    },
    {
      words: [],
      stdout: '',
      stderr: "error: Too few arguments: the verb is missing\nTry 'atomic --help' for more information.\n",
      status: 2,
    },
    {
      words: ['install'],
      stdout: '',
      stderr:
        "error: Too few arguments: IMAGE is missing\nTry 'atomic install --help' for more information.\n",
      status: 2,
    },
    {
      words: ['install', '--set', 'A', 'x'],
      stdout: '',
      stderr:
        "error: Invalid value 'A'.  Expected form NAME=VALUE\nhint: To set an empty value write --set A= .\n",
      status: 2,
    },
    {
      words: ['install', '--memory', '1k', 'x'],
      stdout: '',
      stderr:
        "error: --memory '1k': it is less than 6 MiB, and the container could not start\nhint: Write a number with a unit: --memory 512m, --memory 2g; the least is 6m.\n",
      status: 2,
    },
    {
      words: ['install', '--rootfs=/x', 'x'],
      stdout: '',
      stderr:
        'error: --rootfs: remote root filesystems are not supported yet\n' +
        'hint: Leave --rootfs out; the files of the image are shared with the repository anyway.\n',
      status: 2,
    },
    {
      words: ['uninstall', '--name', 'x', 'x'],
      stdout: '',
      stderr: 'error: System containers do not support --name. Please use atomic uninstall NAME\n',
      status: 2,
    },
  ])('$words', ({ words, ...expected }) => {
    expect(run(words)).toEqual(expected);
  });

  test('help is an answer', () => {
    const { stdout, stderr, status } = run(['pull', 'x', '--help']);
    expect({ first: stdout.split('\n')[0], stderr, status }).toEqual({
      first: 'Usage: atomic pull [OPTION]... IMAGE',
      stderr: '',
      status: 0,
    });
    expect(run(['help', 'pull']).stdout).toStartWith(stdout.slice(0, stdout.indexOf('Arguments:')));
  });

  test('behind -- the word --json is an operand, and the error is text', () => {
    const { stdout, stderr, status } = run(['images', 'info', 'a', '--', '--json']);
    expect([stdout, status]).toEqual(['', 2]);
    expect(stderr).toStartWith("error: Too many arguments: '--json'\n");
  });

  test('with --json the error is a document', () => {
    const { stdout, stderr, status } = run(['images', 'list', '--json', '-f', 'x=1']);
    expect({ stdout, status, error: JSON.parse(stderr) }).toEqual({
      stdout: '',
      status: 2,
      error: {
        schemaVersion: 1,
        error: {
          code: 'BAD_VALUE',
          message:
            'The filter x is not valid.  Please choose from [repo, repository, tag, id, image, created, size, type, is_dangling]',
          hint: null,
          details: {},
        },
      },
    });
  });
});

test.each([['--help'], ['--version'], ['frobnicate']])(
  'a reader that has closed the pipe is not a failure: %p',
  (word) => {
    const script = '"$0" "$1" "$2" 2>&1 | true; echo "${PIPESTATUS[0]}"';
    const { stdout } = spawnSync('bash', ['-c', script, process.execPath, main, word], {
      env,
      encoding: 'utf8',
    });
    expect(stdout).toBe(word === 'frobnicate' ? '2\n' : '0\n');
  },
);

test('output that cannot be written is a failure that names it', () => {
  const { status, stderr } = spawnSync(
    'bash',
    ['-c', '"$0" "$1" --help > /dev/full', process.execPath, main],
    {
      env,
      encoding: 'utf8',
    },
  );
  expect(status).toBe(1);
  expect(stderr).toBe(
    'error: write to standard output: no space left on the filesystem\nhint: Free some space and try again.\n',
  );
});
