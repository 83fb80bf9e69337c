/** `--progress-fd` of the program as a process. */
import { afterAll, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { requireProgressSchema } from '../support/schemas.ts';
import { createTemporaryFolder } from '../support/temporary.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const folder = await createTemporaryFolder('progress-fd');
afterAll(() => folder.remove());
const output = folder.join('progress.jsonl');
const repository = folder.join('repo');
const env = {
  PATH: process.env.PATH ?? '',
  ATOMIC_CONF: folder.join('none.conf'),
  ATOMIC_OSTREE_CHECKOUT_PATH: folder.join('checkouts'),
  ATOMIC_OSTREE_REPO: repository,
};

/** Runs a line of shell with `$ATOMIC` as the program. */
function runLine(line: string): { stdout: string; stderr: string; status: number | null } {
  const script = `atomic() { "${process.execPath}" "${main}" "$@"; }; ${line}`;
  const { stdout, stderr, status } = spawnSync('bash', ['-c', script], { env, encoding: 'utf8' });
  return { stdout, stderr, status };
}

const NUMBER = 'it must be the number of a file descriptor, at least 3';
const CLOSED = 'no such file descriptor is open for writing';

test.each([
  ['x', '', NUMBER],
  ['-1', '', NUMBER],
  ['1', '', NUMBER],
  ['3.5', '', NUMBER],
  ['99999999999', '', NUMBER],
  ['77', '', CLOSED],
  // The runtime opens descriptors of its own under the first free numbers.
  ...[3, 4, 5, 6, 7, 8, 9, 10, 11, 12].map((fd) => [String(fd), '', CLOSED] as const),
  ['5', '5</dev/null', CLOSED],
  ['5', `5<${folder.path}`, CLOSED],
])('a descriptor that cannot be written to is a usage error: %s %s', (value, redirection, reason) => {
  const { stdout, stderr, status } = runLine(`atomic pull --progress-fd=${value} etcd ${redirection}`);
  expect({ stdout, stderr, status }).toEqual({
    stdout: '',
    stderr:
      `error: Invalid value '${value}' of --progress-fd: ${reason}\n` +
      'hint: Open the descriptor in the shell: atomic pull --progress-fd 3 IMAGE 3>FILE\n',
    status: 2,
  });
  expect(existsSync(repository)).toBe(false);
});

test('the last line has the failure', () => {
  const { status } = runLine(`atomic pull --progress-fd 3 UPPER 3>${output}`);
  const text = readFileSync(output, 'utf8');
  requireProgressSchema(text);
  const lines = text.trimEnd().split('\n');
  expect([status, ...lines.map((line) => JSON.parse(line))]).toEqual([
    2,
    { type: 'start', version: 1, verb: 'pull', text: 'atomic pull' },
    {
      type: 'end',
      outcome: 'failed',
      exitStatus: 2,
      error: {
        code: 'BAD_REFERENCE',
        message: expect.any(String),
        hint: expect.anything(),
        details: expect.any(Object),
      },
      text: expect.any(String),
    },
  ]);
});

test.each([
  ['a reader that has gone', '3> >(:)'],
  ['a disk that is full', '3>/dev/full'],
])('the command goes on without %s', (_, redirection) => {
  const { stderr, status } = runLine(
    `exec ${redirection}; sleep 0.2; atomic install --progress-fd 3 --rootfs /x etcd`,
  );
  expect([status, stderr.split('\n')[0]]).toEqual([
    2,
    'error: --rootfs: remote root filesystems are not supported yet',
  ]);
});
