import { expect, test } from 'bun:test';
import { open, readFile } from 'node:fs/promises';
import { AtomicError } from '../../src/base/errors.ts';
import { toFileError, withFileErrors } from '../../src/base/file-error.ts';

test('a full disk', async () => {
  const error = await withFileErrors('write /var/lib/x', async () => {
    const full = await open('/dev/full', 'w');
    try {
      await full.writeFile('text');
    } finally {
      await full.close();
    }
  }).catch((caught: unknown) => caught);
  expect(error).toMatchObject({
    code: 'NO_SPACE',
    message: 'write /var/lib/x: no space left on the filesystem',
    hint: 'Free some space and try again.',
  });
});

test('a missing file keeps the words of the system', async () => {
  const error = await withFileErrors('read it', () => readFile('/nonexistent')).catch(
    (caught: unknown) => caught,
  );
  expect(error).toMatchObject({ code: 'STORE_FAILED' });
  expect(error).toBeInstanceOf(AtomicError);
});

test.each([
  ['EROFS', 'READ_ONLY', 'write x: the filesystem is read-only'],
  ['EXDEV', 'CROSS_DEVICE', 'write x: it is on another filesystem'],
  ['EDQUOT', 'NO_SPACE', 'write x: the disk quota is used up'],
  ['EACCES', 'STORE_FAILED', 'write x: permission denied'],
])('%s', (errno, code, message) => {
  expect(toFileError(Object.assign(new Error('words'), { code: errno }), 'write x')).toMatchObject({
    code,
    message,
  });
});

test('a bug stays a bug', () => {
  const bug = new TypeError('undefined is not a function');
  expect(toFileError(bug, 'write x')).toBe(bug);
});
