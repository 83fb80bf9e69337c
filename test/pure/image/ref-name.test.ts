import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { toDigest } from '../../../src/image/digest.ts';
import {
  formatBlobRef,
  formatImageRef,
  listNamedBlobs,
  type ParsedRef,
  parseRefName,
} from '../../../src/image/ref-name.ts';
import { anyText } from '../../support/any-text.ts';
import { catchError } from '../../support/thrown-error.ts';

const HEX = '0123456789abcdef'.repeat(4);

test.each([
  ['etcd:latest', 'ociimage/etcd_3Alatest'],
  ['127.0.0.1:5000/gscrivano/etcd:3.4-1', 'ociimage/127.0.0.1_3A5000_2Fgscrivano_2Fetcd_3A3.4-1'],
  ['a_b:c', 'ociimage/a_5Fb_3Ac'],
  [`r.io/etcd@sha256:${HEX}`, `ociimage/r.io_2Fetcd_40sha256_3A${HEX}`],
  ['é:\u{1f600}', 'ociimage/_C3_A9_3A_F0_9F_98_80'],
  ['\0\n:', 'ociimage/_00_0A_3A'],
])('%j is the ref %s', (reference, ref) => {
  expect(formatImageRef(reference)).toBe(ref);
  expect(parseRefName(ref.slice('ociimage/'.length))).toEqual({ kind: 'image', reference });
});

test('a ref is not longer than the name of a file can be', () => {
  // `_3A` and the tag are the other nine bytes.
  expect(formatImageRef(`${'a'.repeat(246)}:latest`)).toBe(`ociimage/${'a'.repeat(246)}_3Alatest`);
  expect(catchError(() => formatImageRef(`${'a'.repeat(247)}:latest`))).toEqual({
    code: 'BAD_REFERENCE',
    message: `reading the image name '${'a'.repeat(77)}...': it is too long to be stored: encoded it has 256 bytes, more than 255`,
    hint: 'Use a shorter name; a pull stores an image under another one with --as NAME[:TAG].',
  });
});

test('a blob is known by its hex', () => {
  expect(formatBlobRef(toDigest(`sha256:${HEX}`))).toBe(`ociimage/${HEX}`);
  expect(parseRefName(HEX)).toEqual({ kind: 'blob', digest: toDigest(`sha256:${HEX}`) });
});

test.each<[string, string, ParsedRef]>([
  ['X-10: a hexadecimal name with a tag', 'cafe_3A1', { kind: 'image', reference: 'cafe:1' }],
  ['X-10: a hexadecimal name of two parts', 'dead_2Fbeef_3A1', { kind: 'image', reference: 'dead/beef:1' }],
  [
    '128 hexadecimal digits',
    'ab'.repeat(64),
    { kind: 'blob', digest: toDigest(`sha512:${'ab'.repeat(64)}`) },
  ],
  ['64 hexadecimal digits with a tag', `${HEX}_3A1`, { kind: 'image', reference: `${HEX}:1` }],
  ['63 hexadecimal digits', HEX.slice(1), { kind: 'other' }],
  ['upper-case hexadecimal digits', HEX.toUpperCase(), { kind: 'other' }],
  ['no tag', 'etcd', { kind: 'other' }],
  ['nothing', '', { kind: 'other' }],
  ['a character that is not encoded', 'a:b', { kind: 'other' }],
  ['lower-case code', 'etcd_3alatest', { kind: 'other' }],
  ['a code that is cut', 'etcd_3Alatest_4', { kind: 'other' }],
  ['an underscore that is not encoded', 'a_b_3Ac', { kind: 'other' }],
  ['a code for what needs none', '_65tcd_3A1', { kind: 'other' }],
  ['bytes that are not UTF-8', 'a_FF_3A1', { kind: 'other' }],
  ['a file that crashed tools leave', '.tmp-etcd_3Alatest~', { kind: 'other' }],
])('%s', (_, name, parsed) => {
  expect(parseRefName(name)).toEqual(parsed);
});

test('every name becomes one path component, from which it can be decoded', () => {
  fc.assert(
    fc.property(anyText, anyText, (repository, tag) => {
      const reference = `${repository}:${tag}`.toWellFormed();
      const name = formatImageRef(reference).slice('ociimage/'.length);
      expect(name).toMatch(/^[A-Za-z0-9._-]+$/);
      expect(parseRefName(name)).toEqual({ kind: 'image', reference });
    }),
    { numRuns: 200, seed: 20261123 },
  );
});

test('every decoded file name is encoded to the same file name', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^(?:[a-zA-Z0-9.-]|_[0-9A-F]{2}|_3A|.){0,12}$/), (name) => {
      const parsed = parseRefName(name);
      if (parsed.kind === 'image') expect(formatImageRef(parsed.reference)).toBe(`ociimage/${name}`);
      if (parsed.kind === 'blob') expect(formatBlobRef(parsed.digest)).toBe(`ociimage/${name}`);
    }),
    { numRuns: 200, seed: 20261123 },
  );
});

test.each([
  ['schema 2', `{"config":{"digest":"sha256:${HEX}"}}`, [HEX]],
  ['schema 1', `{"fsLayers":[{"blobSum":"sha256:${HEX}"},{"blobSum":"sha256:${HEX}"}]}`, [HEX]],
  [
    'archives of docker save',
    `[{"Config":"${HEX}.json","Layers":["${'a'.repeat(64)}/layer.tar"]}]`,
    [HEX, 'a'.repeat(64)],
  ],
  ['a cut manifest', `{"layers":[{"digest":"sha256:${HEX}`, [HEX]],
  [
    'digests written with escapes',
    `{"config":{"digest":"sha256:\\u0061${'a'.repeat(62)}\\u0041\\u0061"}}`.replace('\\u0041', ''),
    ['a'.repeat(64)],
  ],
  ['other lengths', `"${HEX}0" "${HEX.slice(1)}"`, []],
  ['nothing', '', []],
])('digests in a manifest: %s', (_, manifest, digests) => {
  expect(listNamedBlobs(manifest)).toEqual(digests.map((hex) => `ociimage/${hex}`));
});
