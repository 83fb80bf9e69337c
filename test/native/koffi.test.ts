import { expect, test } from 'bun:test';
import { LibraryMissing, loadLibrary } from '../../src/native/koffi.ts';

test('a library is loaded by its soname', () => {
  const getpid = loadLibrary('libc.so.6').func('int getpid()');
  expect(getpid()).toBe(process.pid);
});

test('a library that is not installed is named', () => {
  let thrown: unknown;
  try {
    loadLibrary('libnothing-of-this-name.so.1');
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(LibraryMissing);
  expect(thrown).toMatchObject({
    library: 'libnothing-of-this-name.so.1',
    message: 'cannot load libnothing-of-this-name.so.1',
    cause: expect.any(Error),
  });
});
