import { expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import {
  createVariant,
  GErrorThrown,
  IoErrorCode,
  readVariant,
  takeError,
  unrefVariant,
} from '../../src/native/glib.ts';
import { openRepository } from '../../src/native/ostree.ts';

test('an error is copied with its domain, code and message', () => {
  const error = catchThrown(() => openRepository('/nowhere/at/all'));
  expect(error).toBeInstanceOf(GErrorThrown);
  expect(error).toMatchObject({
    name: 'GErrorThrown',
    domain: 'g-io-error-quark',
    code: IoErrorCode.notFound,
    message: 'opendir(/nowhere/at/all): No such file or directory',
  });
});

test('a thousand errors are as the first one', () => {
  const messages = new Set(
    Array.from({ length: 1000 }, (_, index) => {
      const error = catchThrown(() => openRepository(`/nowhere/${index}`));
      return error.message.replace(String(index), 'N');
    }),
  );
  expect([...messages]).toEqual(['opendir(/nowhere/N): No such file or directory']);
});

test('a failure without an error is one as well', () => {
  expect(takeError([null]).message).toBe('the library gave no reason; the journal may have it');
});

test.each<[string, string, Buffer]>([
  ['bytes', 'ay', Buffer.from([1, 0, 255])],
  ['an empty array', 'as', Buffer.alloc(0)],
  ['a string of 1 MiB', 's', Buffer.from(`${'x'.repeat(1024 * 1024)}\0`)],
  ['a tuple of 32 bits numbers', '(uuu)', Buffer.from([0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3])],
])('a variant keeps its serialised form: %s', (_, type, data) => {
  const variant = createVariant(type, data);
  const copy = readVariant(variant);
  unrefVariant(variant);
  expect(copy).toEqual(data);
});

test('a variant does not change with the buffer it was made of', () => {
  const data = Buffer.from('before\0');
  const variant = createVariant('s', data);
  data.write('after!');
  expect(readVariant(variant).toString()).toBe('before\0');
  unrefVariant(variant);
});

function catchThrown(action: () => unknown): Error {
  try {
    action();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('nothing was thrown');
}

test('the message of a broken assertion does not appear in the output of a command', () => {
  const program = `import { unrefVariant } from '${new URL('../../src/native/glib.ts', import.meta.url).pathname}'; unrefVariant(null);`;
  const { stderr, status } = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8' });
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
});

test('debug messages of libostree are dropped', () => {
  const program = `
    import { koffi, loadLibrary } from '${new URL('../../src/native/koffi.ts', import.meta.url).pathname}';
    await import('${new URL('../../src/native/glib.ts', import.meta.url).pathname}');
    const log = loadLibrary('libglib-2.0.so.0').func('void g_log(const char *domain, int level, const char *format)');
    log('OSTree', 1 << 7, 'a debug message');
    log('OSTree', 1 << 4, 'a warning');
  `;
  const { stderr, status } = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8' });
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
});
