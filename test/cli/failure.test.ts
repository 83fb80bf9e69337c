import { describe, expect, test } from 'bun:test';
import { AtomicError, wrapError } from '../../src/base/errors.ts';
import { formatFailure, formatFailureJson } from '../../src/cli/error-text.ts';
import { explainFailure } from '../../src/cli/failure.ts';

function buildErrno(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}

const root = { verb: 'install', uid: 0, debug: false };
const user = { ...root, uid: 1000 };
const unknownVerb = new AtomicError('UNKNOWN_COMMAND', "Unknown verb 'images lst'", {
  hint: "Did you mean 'atomic images list'?",
  details: { topic: 'images' },
});

describe('text and exit status', () => {
  const cases: { what: string; error: unknown; context: typeof root; status: number; text: string[] }[] = [
    {
      what: 'a message with a hint',
      error: new AtomicError('IMAGE_NOT_FOUND', 'Image x not found', { hint: 'Pull it first.' }),
      context: root,
      status: 1,
      text: ['error: Image x not found', 'hint: Pull it first.'],
    },
    {
      what: 'a chain',
      error: wrapError(
        new AtomicError('STORE_FAILED', 'checking out 1c2d', {
          cause: buildErrno('ENOSPC', 'no space left on /var'),
        }),
        'installing etcd',
      ),
      context: root,
      status: 1,
      text: ['error: installing etcd: checking out 1c2d: no space left on /var'],
    },
    {
      what: 'a cause that the message repeats',
      error: new AtomicError('STORE_FAILED', 'reading x: gone', { cause: new Error('gone') }),
      context: root,
      status: 1,
      text: ['error: reading x: gone'],
    },
    {
      what: 'a cause that the message repeats in its middle',
      error: new AtomicError('ROLLBACK_FAILED', 'installing x: gone; undoing that failed too: stuck', {
        cause: new Error('gone'),
      }),
      context: root,
      status: 1,
      text: ['error: installing x: gone; undoing that failed too: stuck'],
    },
    {
      what: 'a cause that is the system call whose failure the message explains',
      error: new AtomicError('NO_SPACE', 'write /x: no space left on the filesystem', {
        cause: buildErrno('ENOSPC', 'ENOSPC: no space left on device, write'),
      }),
      context: root,
      status: 1,
      text: ['error: write /x: no space left on the filesystem'],
    },
    {
      what: 'a usage error',
      error: unknownVerb,
      context: root,
      status: 2,
      text: [
        "error: Unknown verb 'images lst'",
        "hint: Did you mean 'atomic images list'?",
        "Try 'atomic images --help' for more information.",
      ],
    },
    {
      what: 'a usage error of the program itself',
      error: new AtomicError('BAD_OPTION', "Unknown option '--x'", { details: { topic: '' } }),
      context: root,
      status: 2,
      text: ["error: Unknown option '--x'", "Try 'atomic --help' for more information."],
    },
    {
      what: 'the status of a child',
      error: new AtomicError('COMMAND_FAILED', 'running systemctl enable x: status 5', { exitStatus: 5 }),
      context: root,
      status: 5,
      text: ['error: running systemctl enable x: status 5'],
    },
    {
      what: 'not root',
      error: new AtomicError('NOT_ROOT', 'Only root can use --system'),
      context: user,
      status: 1,
      text: ['error: Only root can use --system', "Some operations for 'install' require root access."],
    },
    {
      what: 'a permission below',
      error: new AtomicError('STORE_FAILED', 'opening /r', {
        cause: buildErrno('EACCES', 'permission denied'),
      }),
      context: user,
      status: 1,
      text: ['error: opening /r: permission denied', "Some operations for 'install' require root access."],
    },
    {
      what: 'a permission that root lacks too',
      error: buildErrno('EPERM', 'EPERM: operation not permitted, unlink /x'),
      context: root,
      status: 1,
      text: ['error: operation not permitted'],
    },
    {
      what: 'an error of the system that nobody expected',
      error: buildErrno('EIO', 'EIO: i/o error, read'),
      context: user,
      status: 1,
      text: [
        'error: input/output error of the disk',
        'hint: See `dmesg` for the messages of the kernel about the disk.',
      ],
    },
    {
      what: 'a signal',
      error: new AtomicError('INTERRUPTED', 'interrupted by SIGINT', { exitStatus: 130 }),
      context: root,
      status: 130,
      text: ['error: interrupted by SIGINT'],
    },
    {
      what: 'a signal, wrapped by Node',
      error: Object.assign(new Error('aborted'), {
        name: 'AbortError',
        cause: new AtomicError('INTERRUPTED', 'interrupted by SIGTERM', { exitStatus: 143 }),
      }),
      context: root,
      status: 143,
      text: ['error: interrupted by SIGTERM'],
    },
    {
      what: 'text from outside',
      error: new AtomicError('TRANSFER_FAILED', 'fetching https://u:p@reg/x\n\u001b[2Jevil', {
        hint: 'a\rb',
      }),
      context: root,
      status: 1,
      text: ['error: fetching https://***@reg/x evil', 'hint: a b'],
    },
    { what: 'no error at all', error: 'oops', context: root, status: 1, text: ['error: oops', bugLine()] },
  ];
  test.each(cases)('$what', ({ error, context, status, text }) => {
    const failure = explainFailure(error);
    expect(formatFailure(failure, context)).toBe(`${text.join('\n')}\n`);
    expect(failure.exitStatus).toBe(status);
  });
});

test('a bug shows its stack', () => {
  const error = new TypeError('x is not a function');
  error.stack = 'TypeError: x is not a function\n    at run (a.ts:1:2)\n    at main (b.ts:3:4)';
  expect(formatFailure(explainFailure(error), root)).toBe(
    [
      'error: x is not a function',
      bugLine(),
      '  TypeError: x is not a function',
      '  at run (a.ts:1:2)',
      '  at main (b.ts:3:4)',
      '',
    ].join('\n'),
  );
});

test('--debug shows the stack of any error', () => {
  const error = new AtomicError('IMAGE_NOT_FOUND', 'Image x not found');
  error.stack = 'AtomicError: Image x not found\n    at run (a.ts:1:2)';
  expect(formatFailure(explainFailure(error), { ...root, debug: true })).toBe(
    'error: Image x not found\n  AtomicError: Image x not found\n  at run (a.ts:1:2)\n',
  );
});

test('--debug shows where a wrapped failure began, and its causes', () => {
  const cause = buildErrno('ENOSPC', 'no space left on device');
  cause.stack = 'Error: no space left on device\n    at write (c.ts:5:6)';
  const error = new AtomicError('NO_SPACE', 'write /x: no space left on device', { cause });
  error.stack = 'AtomicError: write /x\n    at run (a.ts:1:2)';
  expect(explainFailure(wrapError(error, 'pulling x')).stack).toBe(
    [
      'AtomicError: write /x\n    at run (a.ts:1:2)',
      'Caused by Error: no space left on device\n    at write (c.ts:5:6)',
    ].join('\n'),
  );
});

test('a chain that never ends is cut', () => {
  const error = new Error('loop');
  error.cause = new Error('again', { cause: error });
  expect(explainFailure(error).message).toBe('loop: again');
  const deep = [...'abcdefghijkl'].reduceRight<Error | undefined>(
    (cause, name) => new Error(name, { cause }),
    undefined,
  );
  expect(explainFailure(deep).message).toBe('a: b: c: d: e: f: g: h');
});

describe('JSON, on one line', () => {
  test.each([
    {
      error: new AtomicError('FILE_CONFLICT', 'The file /x already exists.', {
        hint: 'h',
        details: { path: '/x' },
      }),
      code: 'FILE_CONFLICT',
      message: 'The file /x already exists.',
      hint: 'h',
      details: { path: '/x' },
    },
    {
      error: buildErrno('EBUSY', 'EBUSY: in use, rmdir'),
      code: 'EBUSY',
      message: 'in use',
      hint: null,
      details: {},
    },
    { error: new TypeError('x'), code: 'BUG', message: 'x', hint: null, details: {} },
  ])('$code', ({ error, ...expected }) => {
    const text = formatFailureJson(explainFailure(error));
    expect(text.split('\n').length).toBe(2);
    expect(JSON.parse(text)).toEqual({ schemaVersion: 1, error: expected });
  });
});

function bugLine(): string {
  return 'This is a bug in atomic. Please report it with the lines below.';
}
