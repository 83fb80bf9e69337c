import { expect, test } from 'bun:test';
import { atomic, failingAtomic, runAtomic } from './atomic.ts';

/** A shell plays the program: what is tested here is how a run is reported. */
const shell = { program: '/bin/sh' };

test('a run has its output and its status', async () => {
  const args = ['-c', 'cat; echo "$WORD" >&2; exit 3'];
  expect(await runAtomic(args, { ...shell, input: 'in', env: { WORD: 'err' } })).toEqual({
    args,
    stdout: 'in',
    stderr: 'err\n',
    status: 3,
  });
});

test('a run ended by a signal has the status of a shell', async () => {
  expect((await runAtomic(['-c', 'kill -TERM $$'], shell)).status).toBe(143);
});

test('an unexpected end shows the whole run', async () => {
  const failure = '# atomic -c echo out; echo err >&2; exit 1\nout\nerr\n(status 1)';
  const args = ['-c', 'echo out; echo err >&2; exit 1'];
  await expect(atomic(args, shell)).rejects.toThrow(`expected success of\n${failure}`);
  await expect(failingAtomic(2, args, shell)).rejects.toThrow(`expected status 2 of\n${failure}`);
  await expect(failingAtomic(1, args, shell)).rejects.toThrow(
    `expected nothing on standard output of\n${failure}`,
  );
  expect(await failingAtomic(1, ['-c', 'echo err >&2; exit 1'], shell)).toBe('err\n');
});
