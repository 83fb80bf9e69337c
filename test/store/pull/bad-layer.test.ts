/** Layers that must not or cannot be unpacked: one clear error, nothing stored, and the next pull works. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { LayerInput } from '../../support/oci-image.ts';
import { type Registry, startRegistry } from '../../support/registry.ts';
import type { Sandbox } from '../../support/sandbox.ts';
import { failedPull } from '../../support/store/failed-pull.ts';
import { checkRepository } from '../../support/store/ostree-cli.ts';
import { createStore, pullLayers, pushNew, TEST_TIMEOUT_MS } from '../../support/store/store-fixture.ts';
import { buildTar, type TarEntry } from '../../support/tar-writer.ts';
import { tree } from '../../support/tree.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

let registry: Registry;
let store: Sandbox;
beforeAll(async () => {
  registry = await startRegistry();
  store = await createStore([registry]);
  await pullLayers(store, registry, [tree`f etc/stored 0644 before`]);
});
afterAll(async () => {
  await store.remove();
  await registry.stop();
});

/** Bytes that no compression makes smaller, always the same. */
const noise = createHash('shake256', { outputLength: 100_000 }).update('noise').digest();
const tar = buildTar(tree`f etc/noise 0644 ${noise}`);
const gzip = gzipSync(tar);
const withData = (data: Uint8Array, compression: LayerInput['compression'] = 'gzip'): LayerInput => ({
  tar,
  data,
  compression,
});

const damaged: [title: string, layer: LayerInput, reason: RegExp][] = [
  [
    'a gzip stream that is cut short',
    withData(gzip.subarray(0, 50_000)),
    /^inflating: unexpected end of file$/,
  ],
  [
    'a gzip stream without its trailer',
    withData(gzip.subarray(0, -8)),
    /^inflating: unexpected end of file$/,
  ],
  [
    'a gzip stream with garbage behind it',
    withData(Buffer.concat([gzip, Buffer.from('garbage')])),
    /^inflating: /,
  ],
  ['garbage instead of gzip', withData(noise), /^inflating: incorrect header check$/],
  ['garbage instead of zstd', withData(noise, 'zstd'), /^inflating: Unknown frame descriptor$/],
  ['gzip that is called uncompressed', withData(gzip, 'none'), /: no tar header at byte 0$/],
  ['no byte at all instead of gzip', { tar, data: Buffer.alloc(0) }, /^inflating: unexpected end of file$/],
  ['an archive that is cut short in a file', { tar: tar.subarray(0, 60_000) }, /: cut short at byte 60000$/],
  ['an archive that is cut short in a header', { tar: tar.subarray(0, 100) }, /: cut short at byte 100$/],
  ['garbage instead of an archive', { tar: noise }, /: no tar header at byte 0$/],
];

test.each(damaged)('%s', async (_, layer, reason) => {
  const failure = await failedPull(store, await pushNew(registry, { layers: [tree`f first 0644 1`, layer] }));
  const [, detail = failure.message] = /^layer sha256:[0-9a-f]{64}: (.*)$/.exec(failure.message) ?? [];
  expect(failure.code).toBe('LAYER_REJECTED');
  expect(detail).toMatch(reason);
});

const file = (path: string): TarEntry => ({ path, content: '1' });

const refused: [title: string, entries: readonly TarEntry[], reason: RegExp][] = [
  ['a name that begins with ".."', [file('../x')], /name "\.\.\/x"/],
  ['a name with ".." in the middle', [file('a/../../x')], /name "a\/\.\.\/\.\.\/x"/],
  ['a directory called ".."', [{ path: '..', type: 'directory' }], /name "\.\."/],
  ['control characters beside ".."', [file('../\u001b[31mred')], /name "\.\.\/\\u001b\[31mred"/],
  ['a PAX name of more than 4 KB', [file(`${'a/'.repeat(2050)}x`)], /a name of 4101 bytes/],
  [
    'a GNU name of more than 4 KB',
    [{ ...file(`${'a/'.repeat(2050)}x`), longNames: 'gnu' }],
    /a name of 4101 bytes/,
  ],
  ['a file name of 256 bytes', [file('n'.repeat(256))], /a name of 256 bytes/],
  ['a NUL in a PAX name', [{ path: 'a', pax: { path: 'b\0c' } }], /a name with a NUL byte/],
  ['a name that is not UTF-8', [{ path: 'a', raw: { name: Buffer.from([0x61, 0xff]) } }], /not UTF-8/],
  ['a PAX name that is not UTF-8', [{ path: 'a', pax: { path: Buffer.from([0x61, 0xff]) } }], /not UTF-8/],
  ['a hard link to a missing file', [{ path: 'a', type: 'hardlink', linkName: 'missing' }], /missing/],
  [
    'a hard link to itself',
    [{ path: 'a', type: 'hardlink', linkName: 'a' }],
    /the hard link a leads to a, which is not an earlier file/,
  ],
  [
    'a hard link to a directory',
    [
      { path: 'd', type: 'directory' },
      { path: 'a', type: 'hardlink', linkName: 'd' },
    ],
    /a hard link to a directory/,
  ],
  [
    'a hard link with content',
    [file('x'), { path: 'a', type: 'hardlink', linkName: 'x', content: 'more' }],
    /a hard link with content/,
  ],
  ['a file over a directory', [{ path: 'a', type: 'directory' }, file('a/b'), file('a')], /director/],
  [
    'a symlink target of 5,000 bytes',
    [{ path: 'a', type: 'symlink', linkName: 'x'.repeat(5000) }],
    /too long|5000 bytes/,
  ],
  ['a size that is no number', [{ path: 'a', raw: { size: 'zzzzzzzzzzz' } }], /a size that is no number/],
  ['a sparse file of GNU tar', [{ path: 'a', content: 'x', raw: { typeFlag: 'S' } }], /sparse/],
  [
    'a PAX header of 2 MB',
    [{ path: 'a', pax: { comment: 'x'.repeat(2_000_000) } }],
    /a header of 2000017 bytes/,
  ],
  [
    'a hard link to a name with ".."',
    [{ path: 'a', type: 'hardlink', linkName: '../../etc/passwd' }],
    /"\.\."/,
  ],
  [
    'a PAX hard link to a name with ".."',
    [{ path: 'a', type: 'hardlink', linkName: 'x', pax: { linkpath: '../x' } }],
    /"\.\."/,
  ],
  ['a symlink without target', [{ path: 'a', type: 'symlink', linkName: '' }], /a symlink without target/],
  [
    'a NUL in a PAX link target',
    [{ path: 'a', type: 'symlink', linkName: 'x', pax: { linkpath: 'b\0c' } }],
    /a link target with a NUL byte/,
  ],
  ['an entry without name', [{ path: '' }], /in the place of the root/],
  ['a file below a file', [file('a'), file('a/b')], /both a file and a directory/],
  [
    'an extended attribute without name',
    [{ path: 'a', xattrs: { '': '1' } }],
    /an extended attribute without a name/,
  ],
];

test.each(refused)('%s', async (_, entries, reason) => {
  const failure = await failedPull(store, await pushNew(registry, { layers: [entries] }));
  expect(failure.code).toBe('LAYER_REJECTED');
  expect(failure.message).toMatch(/layer sha256:[0-9a-f]{64}: /);
  expect(failure.message).toMatch(reason);
});

/** libostree would store another owner or an object that is not what its checksum says, and the merge would stumble over such a whiteout. */
const refusedByScanner: [title: string, entries: readonly TarEntry[]][] = [
  ['the owner 4294967295, which no file can have', [{ path: 'a', uid: 0xffffffff }]],
  ['an owner beyond 32 bits', [{ path: 'a', uid: 99_999_999_999 }]],
  ['a whiteout without name', [file('.wh.')]],
  ['a whiteout of ".."', [file('d/.wh...')]],
];

for (const [title, entries] of refusedByScanner) {
  test(title, async () => {
    const failure = await failedPull(store, await pushNew(registry, { layers: [entries] }));
    expect(failure.code).toBe('LAYER_REJECTED');
    expect(failure.message).toMatch(/layer sha256:[0-9a-f]{64}: /);
  });
}

test('afterwards a good image is pulled and the repository is sound', async () => {
  await pullLayers(store, registry, [tree`f etc/stored 0644 after`]);
  checkRepository(store);
});
