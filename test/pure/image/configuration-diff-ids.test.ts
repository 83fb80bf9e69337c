import { expect, test } from 'bun:test';
import { checkConfiguration } from '../../../src/image/configuration-blob.ts';
import { toDigest } from '../../../src/image/digest.ts';
import { catchError } from '../../support/thrown-error.ts';

const first = toDigest(`sha256:${'ab'.repeat(32)}`);
const second = toDigest(`sha256:${'cd'.repeat(32)}`);

test('reads one digest a layer, base first', () => {
  const text = JSON.stringify({ os: 'linux', rootfs: { type: 'layers', diff_ids: [first, second] } });
  expect(checkConfiguration(text, 'etcd', 2)).toEqual([first, second]);
});

test('reads digests of sha512', () => {
  const long = toDigest(`sha512:${'ab'.repeat(64)}`);
  expect(checkConfiguration(JSON.stringify({ rootfs: { diff_ids: [long, first] } }), 'etcd', 2)).toEqual([
    long,
    first,
  ]);
});

test.each<[string, string, string]>([
  ['no JSON', '{', 'line 1, column 2: unexpected end of the file'],
  ['a list', '[]', 'the document must be an object'],
  ['no rootfs', '{}', '"rootfs.diff_ids" is not a list'],
  ['a rootfs that is text', '{"rootfs":"x"}', '"rootfs.diff_ids" is not a list'],
  ['digests that are no list', '{"rootfs":{"diff_ids":{}}}', '"rootfs.diff_ids" is not a list'],
  ['too few digests', JSON.stringify({ rootfs: { diff_ids: [first] } }), 'it names 1 layers, the manifest 2'],
  [
    'too many digests',
    JSON.stringify({ rootfs: { diff_ids: [first, first, first] } }),
    'it names 3 layers, the manifest 2',
  ],
  [
    'a number',
    JSON.stringify({ rootfs: { diff_ids: [first, 7] } }),
    '"rootfs.diff_ids" holds no digest of sha256 or sha512',
  ],
  [
    'a short digest',
    JSON.stringify({ rootfs: { diff_ids: [first, 'sha256:ab'] } }),
    '"rootfs.diff_ids" holds no digest of sha256 or sha512',
  ],
  [
    'another algorithm',
    JSON.stringify({ rootfs: { diff_ids: [first, `sha384:${'ab'.repeat(48)}`] } }),
    '"rootfs.diff_ids" holds no digest of sha256 or sha512',
  ],
])('refuses %s', (_, text, problem) => {
  expect(catchError(() => checkConfiguration(text, 'etcd', 2))).toEqual({
    code: 'MANIFEST_INVALID',
    message: `reading the image's configuration: ${problem}`,
    hint: 'Only images that can be run are supported, not other artifacts. Ask the author of the image.',
  });
});

test('a configuration of more than 4 MiB is refused unread', () => {
  expect(catchError(() => checkConfiguration(' '.repeat(4 * 1024 * 1024 + 1), 'etcd', 0)).message).toBe(
    "reading the image's configuration: the file is longer than 4194304 characters",
  );
});
