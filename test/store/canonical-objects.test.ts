/** Objects on the disk have the checksums of their names, whatever the archive wrote; `ostree fsck` compares them. */
import { afterAll, beforeAll, setDefaultTimeout, test } from 'bun:test';
import { type Registry, startRegistry } from '../support/registry.ts';
import type { TarEntry } from '../support/tar-writer.ts';
import { checkRepository } from './ostree-cli.ts';
import { createStore, pullLayers, TEST_TIMEOUT_MS } from './store-fixture.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

let registry: Registry;
beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(() => registry.stop());

const sound: [title: string, entry: TarEntry][] = [
  ['a symlink of mode 0777', { path: 'a', type: 'symlink', mode: 0o777, linkName: 'x' }],
  [
    'a symlink of another mode, as bsdtar writes it',
    { path: 'a', type: 'symlink', mode: 0o755, linkName: 'x' },
  ],
  ['two attributes of a file', { path: 'a', xattrs: { 'user.a': '1', 'user.b': '2' } }],
  ['two attributes of a file in the other order', { path: 'a', xattrs: { 'user.b': '2', 'user.a': '1' } }],
  ['one attribute of a file', { path: 'a', xattrs: { 'user.a': '1' } }],
  [
    'two attributes of a directory',
    { path: 'a', type: 'directory', xattrs: { 'user.a': '1', 'user.b': '2' } },
  ],
];

for (const [title, entry] of sound) test(title, () => expectSound(entry));

async function expectSound(entry: TarEntry): Promise<void> {
  await using store = await createStore([registry]);
  await pullLayers(store, registry, [[entry]]);
  checkRepository(store);
}
