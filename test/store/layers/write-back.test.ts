/** Writing back while a layer is read. */
import { expect, test } from 'bun:test';
import { readdirSync } from 'node:fs';
import { WriteBack } from '../../../src/store/layer/write-back.ts';
import { createTemporaryFolder } from '../../support/temporary.ts';

const MEGABYTES = 1024 * 1024;

test('one sync at a time runs, and leaves no open file', async () => {
  const folder = await createTemporaryFolder('write-back');
  const count = (): number => readdirSync('/proc/self/fd').length;
  const before = count();
  const back = new WriteBack(folder.path);
  back.pass(31 * MEGABYTES);
  expect(count()).toBe(before);
  back.pass(MEGABYTES);
  back.pass(32 * MEGABYTES);
  expect(count()).toBe(before + 1);
  while (count() > before) await Bun.sleep(5);
  await folder.remove();
});
