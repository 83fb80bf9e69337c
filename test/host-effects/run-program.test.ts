import { expect, test } from 'bun:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { AtomicError } from '../../src/base/errors.ts';
import { withReminders } from '../../src/host/reminders.ts';
import { captureProgram, runProgram, runVisibly } from '../../src/host/run-program.ts';
import { createSandbox } from '../support/sandbox.ts';

const shell = (script: string): readonly string[] => ['/bin/sh', '-c', script];

test('returns what the program wrote to standard output', async () => {
  await using sandbox = await createSandbox();
  expect(await runProgram(sandbox.host, shell('echo one; echo two >&2; echo three'))).toBe('one\nthree\n');
});

test.each([
  ['exit 3', 3, { exitCode: 3, signal: undefined, stderrTail: '' }, '/bin/sh -c exit 3: exit status 3'],
  [
    'echo no good >&2; exit 1',
    1,
    { exitCode: 1, signal: undefined, stderrTail: 'no good' },
    '/bin/sh -c echo no good >&2; exit 1: exit status 1: no good',
  ],
  [
    'kill -TERM $$',
    143,
    { exitCode: undefined, signal: 'SIGTERM', stderrTail: '' },
    '/bin/sh -c kill -TERM $$: ended by SIGTERM',
  ],
] as const)('%s fails with its status, signal and words', async (script, exitStatus, outcome, message) => {
  await using sandbox = await createSandbox();
  const error = await runProgram(sandbox.host, shell(script)).catch((caught: unknown) => caught);
  if (!(error instanceof AtomicError)) throw error;
  expect(error.code).toBe('COMMAND_FAILED');
  expect(error.exitStatus).toBe(exitStatus);
  expect(error.details).toEqual({ argv: shell(script), ...outcome });
  expect(error.message).toBe(message);
});

test('keeps the last kilobyte of the errors, without control characters', async () => {
  await using sandbox = await createSandbox();
  const script = `head -c 5000 /dev/zero | tr '\\0' x >&2; printf '\\033[31mred\\033[0m\\nend\\n' >&2; exit 1`;
  const error = await runProgram(sandbox.host, shell(script)).catch((caught: unknown) => caught);
  if (!(error instanceof AtomicError)) throw error;
  const written = '\u001b[31mred\u001b[0m\nend\n';
  expect(error.details?.stderrTail).toBe(`${'x'.repeat(1024 - written.length)}red end`);
});

test('a missing program is named with its package', async () => {
  await using sandbox = await createSandbox({ env: { PATH: '/nonexistent' } });
  const error = await runProgram(sandbox.host, ['systemd-tmpfiles', '--create']).catch(
    (caught: unknown) => caught,
  );
  if (!(error instanceof AtomicError)) throw error;
  expect([error.code, error.message, error.hint]).toEqual([
    'TOOL_MISSING',
    'run systemd-tmpfiles: the program is not installed',
    'Install it: apt install systemd (Debian), dnf install systemd (Fedora).',
  ]);
});

test('captureProgram returns a status other than 0', async () => {
  await using sandbox = await createSandbox();
  const argv = shell('echo out; echo err >&2; exit 7');
  expect(await captureProgram(sandbox.host, argv)).toEqual({
    argv,
    exitCode: 7,
    stdout: 'out\n',
    stderrTail: 'err\n',
  });
});

test.each(['KILL', 'TERM', 'SEGV'])('captureProgram throws after an end by SIG%s', async (name) => {
  await using sandbox = await createSandbox();
  const argv = shell(`echo half an answer; kill -${name} $$`);
  expect(await captureProgram(sandbox.host, argv).catch((caught: unknown) => caught)).toMatchObject({
    code: 'COMMAND_FAILED',
    message: `/bin/sh -c echo half an answer; kill -${name} $$: ended by SIG${name}`,
    hint: expect.stringContaining('`journalctl -k`'),
    details: { signal: `SIG${name}` },
  });
});

test('a failure of systemctl leads to the log of systemd', async () => {
  await using sandbox = await createSandbox();
  expect(
    await runProgram(sandbox.host, ['systemctl', '--no-such-option']).catch((caught: unknown) => caught),
  ).toMatchObject({
    code: 'COMMAND_FAILED',
    hint: expect.stringContaining('`journalctl -b _PID=1`'),
  });
});

test('the error for a program that cannot be started gives the reason, and does not call it missing', async () => {
  await using sandbox = await createSandbox();
  const program = '/etc/passwd';
  expect(await runProgram(sandbox.host, [program]).catch((caught: unknown) => caught)).toMatchObject({
    code: 'TOOL_MISSING',
    message: `run ${program}: permission denied`,
    hint: `Look at \`namei -l ${program}\`, or install the program again.`,
  });
});

test('a long program is reported repeatedly until it has ended', async () => {
  await using sandbox = await createSandbox();
  const script = shell('sleep 0.25');
  await withReminders(
    sandbox.host,
    (seconds) => `still there after ${seconds} s`,
    () => captureProgram(sandbox.host, script),
    50,
  );
  const told = sandbox.events.length;
  expect(told).toBeGreaterThan(0);
  expect(sandbox.events[0]).toEqual({ kind: 'warning', text: 'still there after 0 s' });
  await sleep(120);
  expect(sandbox.events.length).toBe(told);
});

test('shows a command before it runs', async () => {
  await using sandbox = await createSandbox();
  await runVisibly(sandbox.host, ['true', 'shown'], ['true', '--quietly', 'run']);
  expect(sandbox.events).toEqual([{ kind: 'command', argv: ['true', 'shown'] }]);
});

test('an interruption ends the program with SIGTERM', async () => {
  await using sandbox = await createSandbox();
  const mark = sandbox.folder.join('terminated');
  const started = sandbox.folder.join('started');
  const script = `trap 'echo yes > ${mark}; exit 0' TERM; : > ${started}; while :; do sleep 0.01; done`;
  const running = runProgram(sandbox.host, shell(script)).catch((caught: unknown) => caught);
  while (!(await Bun.file(started).exists())) await sleep(5);
  sandbox.interrupt();
  const error = await running;
  expect(error).toMatchObject({ code: 'INTERRUPTED' });
  expect(await Bun.file(mark).text()).toBe('yes\n');
});

test('nothing is started after an interruption', async () => {
  await using sandbox = await createSandbox();
  sandbox.interrupt();
  const mark = sandbox.folder.join('ran');
  expect(await runProgram(sandbox.host, ['touch', mark]).catch((caught: unknown) => caught)).toMatchObject({
    code: 'INTERRUPTED',
  });
  expect(await Bun.file(mark).exists()).toBe(false);
});
