import { expect, test } from 'bun:test';
import { mkdtempSync, renameSync, writeSync } from 'node:fs';
import { describeFailure, describeSystemError, explainSystemError } from '../../../src/base/file-error.ts';

test.each<[string, () => unknown, string]>([
  ['one path', () => mkdtempSync('/nope/x-'), 'mkdtemp /nope/x-XXXXXX: there is no such file or folder'],
  ['two paths', () => renameSync('/nope', '/x'), 'rename /nope /x: there is no such file or folder'],
  ['none, and an errno without words of ours', () => writeSync(9999, 'x'), 'write: bad file descriptor'],
])('a system call with %s', (_, call, text) => {
  expect(describeSystemError(catchSystemError(call)).replace(/x-\w{6}/, 'x-XXXXXX')).toBe(text);
});

test('a path with a comma does not end the reason early', () => {
  const error = new Error("EBUSY: resource busy or locked, rmdir '/a, b'");
  expect(explainSystemError(error)).toEqual({ reason: 'resource busy or locked' });
});

function catchSystemError(call: () => unknown): Error {
  try {
    call();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('expected an error of the system');
}

test('a failure within a sentence has the call, the path and words, not the name of the errno', () => {
  const failed = Object.assign(new Error("EIO: i/o error, unlink '/a'"), {
    code: 'EIO',
    syscall: 'unlink',
    path: '/a',
  });
  expect(describeFailure(failed)).toBe('unlink /a: input/output error of the disk');
  expect(describeFailure(new Error('told before'))).toBe('told before');
});
