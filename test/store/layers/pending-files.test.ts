import { expect, test } from 'bun:test';
import { PendingFiles } from '../../../src/store/layer/pending-files.ts';

/** A write that ends when the test says so. */
function createWrite(): { write: () => Promise<void>; end: () => void; fail: (error: Error) => void } {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  return { write: () => promise, end: resolve, fail: reject };
}

async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const note = (): void => {
    settled = true;
  };
  promise.then(note, note);
  await Bun.sleep(5);
  return settled;
}

test('waits until as little as wished is on its way', async () => {
  const files = new PendingFiles();
  const [large, small] = [createWrite(), createWrite()];
  files.add(1_000_000, large.write);
  files.add(10, small.write);
  const few = files.settle(10_000);
  const none = files.settle(0);
  expect([await isSettled(few), await isSettled(none)]).toEqual([false, false]);
  large.end();
  expect([await isSettled(few), await isSettled(none)]).toEqual([true, false]);
  small.end();
  expect(await isSettled(none)).toBe(true);
});

test('an empty file is waited for', async () => {
  const files = new PendingFiles();
  const empty = createWrite();
  files.add(0, empty.write);
  const none = files.settle(0);
  expect(await isSettled(none)).toBe(false);
  empty.end();
  await none;
});

test('says of the first failure, also much later, and to end waits whatever failed', async () => {
  const files = new PendingFiles();
  const [first, second, third] = [createWrite(), createWrite(), createWrite()];
  for (const { write } of [first, second, third]) files.add(1, write);
  second.fail(new Error('second'));
  await Bun.sleep(0);
  first.fail(new Error('first'));
  expect(files.settle(1_000_000)).rejects.toThrow('second');
  const end = files.end();
  expect(await isSettled(end)).toBe(false);
  third.end();
  await end;
  expect(files.settle(0)).rejects.toThrow('second');
});

test('nothing is waited for where nothing was added', async () => {
  await new PendingFiles().settle(0);
});
