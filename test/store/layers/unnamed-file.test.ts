import { expect, test } from 'bun:test';
import { readdirSync, writeFileSync, writeSync } from 'node:fs';
import { UnnamedFile } from '../../../src/store/layer/unnamed-file.ts';
import { createTemporaryFolder } from '../../support/temporary.ts';

test('appended data can be read repeatedly, in pieces', async () => {
  await using folder = await createTemporaryFolder('unnamed');
  using file = new UnnamedFile(folder.join('file'), writeSync);
  const parts = ['', 'a', 'bc'.repeat(100_000), 'd'].map((text) => Buffer.from(text));
  for (const part of parts) file.append(part);
  const whole = Buffer.concat(parts);
  expect(file.length).toBe(whole.length);
  for (const _ of [1, 2]) {
    const pieces = [...file].length;
    expect(pieces).toBeGreaterThan(1);
    expect(Buffer.concat([...copies(file)])).toEqual(whole);
  }
});

test('it has no name: nothing is left when the process dies', async () => {
  await using folder = await createTemporaryFolder('unnamed');
  using file = new UnnamedFile(folder.join('file'), writeSync);
  file.append(Buffer.from('a'));
  expect(readdirSync(folder.path)).toEqual([]);
});

test('it takes no file that is there', async () => {
  await using folder = await createTemporaryFolder('unnamed');
  writeFileSync(folder.join('file'), 'other');
  expect(() => new UnnamedFile(folder.join('file'), writeSync)).toThrow('EEXIST');
});

function* copies(file: UnnamedFile): Generator<Buffer> {
  for (const piece of file) yield Buffer.from(piece);
}
