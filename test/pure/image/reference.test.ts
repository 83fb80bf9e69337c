import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { toDigest } from '../../../src/image/digest.ts';
import {
  findPin,
  formatReference,
  formatRequest,
  type ImageReference,
  parseNewName,
  parseReference,
} from '../../../src/image/reference.ts';
import { catchError } from '../../support/thrown-error.ts';

const HEX = 'ab'.repeat(32);
const DIGEST = toDigest(`sha256:${HEX}`);
const HINT =
  'Write NAME, NAME:TAG, REGISTRY[:PORT]/NAME[:TAG] or NAME@sha256:HEX, for example registry.example.com/team/etcd:3.4.';

type Written = Partial<ImageReference> & Pick<ImageReference, 'repository'>;

test.each<[string, Written]>([
  ['etcd', { repository: 'etcd' }],
  ['etcd:3.4', { repository: 'etcd', tag: '3.4' }],
  ['gscrivano/etcd', { repository: 'gscrivano/etcd' }],
  ['a/b/c/d:x', { repository: 'a/b/c/d', tag: 'x' }],
  ['a_b', { repository: 'a_b' }],
  ['a__b', { repository: 'a__b' }],
  ['a---b', { repository: 'a---b' }],
  ['a.b', { repository: 'a.b' }],
  ['a.b/c', { repository: 'a.b/c', registry: 'a.b' }],
  ['localhost/etcd', { repository: 'localhost/etcd', registry: 'localhost' }],
  ['localhost', { repository: 'localhost' }],
  ['localhost:5000', { repository: 'localhost', tag: '5000' }],
  ['localhost:5000/etcd', { repository: 'localhost:5000/etcd', registry: 'localhost:5000' }],
  ['host:5000/etcd:v1', { repository: 'host:5000/etcd', registry: 'host:5000', tag: 'v1' }],
  ['127.0.0.1:5000/a/b', { repository: '127.0.0.1:5000/a/b', registry: '127.0.0.1:5000' }],
  ['[::1]:5000/a', { repository: '[::1]:5000/a', registry: '[::1]:5000' }],
  ['[2001:db8::1]/a:t', { repository: '[2001:db8::1]/a', registry: '[2001:db8::1]', tag: 't' }],
  ['Registry.Example.COM/a', { repository: 'Registry.Example.COM/a', registry: 'Registry.Example.COM' }],
  ['docker.io/library/busybox', { repository: 'docker.io/library/busybox', registry: 'docker.io' }],
  ['etcd:Latest_1.0-x', { repository: 'etcd', tag: 'Latest_1.0-x' }],
  [`etcd:${'t'.repeat(128)}`, { repository: 'etcd', tag: 't'.repeat(128) }],
  [`etcd@${DIGEST}`, { repository: 'etcd', digest: DIGEST }],
  [`r.io:5000/a/b@${DIGEST}`, { repository: 'r.io:5000/a/b', registry: 'r.io:5000', digest: DIGEST }],
  [`etcd:1@${DIGEST}`, { repository: 'etcd', tag: '1', digest: DIGEST }],
  [
    `http:r.io:5000/a/b:1@${DIGEST}`,
    { repository: 'r.io:5000/a/b', registry: 'r.io:5000', tag: '1', digest: DIGEST, isInsecure: true },
  ],
  [HEX, { repository: HEX }],
  ['cafe:1', { repository: 'cafe', tag: '1' }],
  [`r.io/${'n'.repeat(250)}`, { repository: `r.io/${'n'.repeat(250)}`, registry: 'r.io' }],
  // prefixes (compatibility I-02, I-03)
  ['oci:etcd', { repository: 'etcd' }],
  ['docker://r.io/etcd:1', { repository: 'r.io/etcd', registry: 'r.io', tag: '1' }],
  ['oci:r.io/etcd:1', { repository: 'r.io/etcd', registry: 'r.io', tag: '1' }],
  ['http:r.io/etcd', { repository: 'r.io/etcd', registry: 'r.io', isInsecure: true }],
  ['http://r.io:80/etcd:1', { repository: 'r.io:80/etcd', registry: 'r.io:80', tag: '1', isInsecure: true }],
  ['https:r.io/etcd', { repository: 'r.io/etcd', registry: 'r.io' }],
  ['https://r.io/etcd', { repository: 'r.io/etcd', registry: 'r.io' }],
  // registries and images that are called like a prefix
  ['docker:5000/etcd', { repository: 'docker:5000/etcd', registry: 'docker:5000' }],
  ['dir:80/a/b:1', { repository: 'dir:80/a/b', registry: 'dir:80', tag: '1' }],
  ['docker', { repository: 'docker' }],
  ['docker/compose:2', { repository: 'docker/compose', tag: '2' }],
  ['httpd:2', { repository: 'httpd', tag: '2' }],
])('%s', (text, written) => {
  expect<unknown>(parseReference(text)).toEqual({
    registry: undefined,
    tag: written.digest === undefined ? 'latest' : undefined,
    digest: undefined,
    isInsecure: false,
    ...written,
  });
});

test.each([
  ['', 'the name is not valid'],
  [' ', 'the name is not valid'],
  ['Etcd', 'the name must be in lower case'],
  ['r.io/Team/etcd', 'the name must be in lower case'],
  ['Team/etcd', 'the name must be in lower case'],
  ['-etcd', 'the name is not valid'],
  ['etcd-', 'the name is not valid'],
  ['.etcd', 'the name is not valid'],
  ['a..b', 'the name is not valid'],
  ['a._b', 'the name is not valid'],
  ['a___b', 'the name is not valid'],
  ['a//b', 'the name is not valid'],
  ['/etcd', 'the name is not valid'],
  ['etcd/', 'the name is not valid'],
  ['../etcd', 'the registry is not a host name'],
  ['r.io/', 'the name is not valid'],
  ['r.io/../etcd', 'the name is not valid'],
  ['etcd\n', 'the name is not valid'],
  ['é', 'the name is not valid'],
  ['etcd:', 'the tag "" is not valid'],
  ['etcd:.1', 'the tag ".1" is not valid'],
  ['etcd:-1', 'the tag "-1" is not valid'],
  ['etcd:a b', 'the tag "a b" is not valid'],
  [`etcd:${'t'.repeat(129)}`, `the tag "${'t'.repeat(129)}" is not valid`],
  [':1', 'the name is not valid'],
  ['r_x.io/etcd', 'the registry is not a host name'],
  ['-r.io/etcd', 'the registry is not a host name'],
  ['r.io:/etcd', 'the registry is not a host name'],
  ['r.io:port/etcd', 'the registry is not a host name'],
  ['r.io:123456/etcd', 'the registry is not a host name'],
  ['::1/etcd', 'the registry is not a host name'],
  ['[::1/etcd', 'the registry is not a host name'],
  [`${'n'.repeat(256)}`, 'the name is longer than 255 characters'],
  ['etcd@', 'the digest is not "sha256:" and 64 lower-case hex digits, or "sha512:" and 128'],
  ['etcd@sha256:abc', 'the digest is not "sha256:" and 64 lower-case hex digits, or "sha512:" and 128'],
  [
    `etcd@sha256:${'AB'.repeat(32)}`,
    'the digest is not "sha256:" and 64 lower-case hex digits, or "sha512:" and 128',
  ],
  [`etcd@sha512:${HEX}`, 'the digest is not "sha256:" and 64 lower-case hex digits, or "sha512:" and 128'],
  [`etcd@${DIGEST}@${DIGEST}`, 'it has more than one "@"'],
  [`@${DIGEST}`, 'the name is not valid'],
  // the words of the original (compatibility I-08)
  [`etcd:1@2@${DIGEST}`, 'it has more than one "@"'],
  [`etcd:@${DIGEST}`, 'the tag "" is not valid'],
  [`etcd:1@sha512:${HEX}${HEX}`, 'a digest beside a tag must be one of sha256'],
  [`etcd:1@sha256:${HEX}0`, 'the digest is not "sha256:" and 64 lower-case hex digits, or "sha512:" and 128'],
  ['http:', 'the name is not valid'],
  ['http:///etcd', 'the name is not valid'],
])('%j is refused', (text, reason) => {
  expect(catchError(() => parseReference(text))).toEqual({
    code: 'BAD_REFERENCE',
    message: `reading the image name ${JSON.stringify(text)}: ${reason}`,
    hint: HINT,
  });
});

test('control characters are escaped in messages', () => {
  expect(catchError(() => parseReference('a\x1b[2j')).message).toBe(
    'reading the image name "a\\u001b[2j": the name is not valid',
  );
});

test('a formatted name is parsed as the same image', () => {
  fc.assert(
    fc.property(anyReference(), (reference) => {
      const text = formatReference(reference);
      expect(parseReference(text)).toEqual(reference);
      expect(formatReference(parseReference(text))).toBe(text);
    }),
    { numRuns: 500, seed: 20261123 },
  );
});

function anyReference(): fc.Arbitrary<ImageReference> {
  const host = fc.constantFrom(
    'r.io',
    'localhost',
    '127.0.0.1:5000',
    '[::1]:80',
    'a-b.Example.com:1',
    'host:65535',
  );
  const path = fc.stringMatching(/^[a-z0-9]{1,8}(?:(?:[._]|__|-{1,3})[a-z0-9]{1,8}){0,2}$/);
  const tag = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}$/);
  return fc
    .tuple(
      fc.option(host, { nil: undefined }),
      fc.array(path, { minLength: 1, maxLength: 4 }),
      fc.option(tag),
    )
    .filter(
      ([registry, [first = '', ...rest]]) =>
        registry !== undefined || rest.length === 0 || !/[.]/.test(first),
    )
    .map(
      ([registry, paths, tag]) =>
        ({
          repository: [...(registry === undefined ? [] : [registry]), ...paths].join('/'),
          registry,
          ...(tag === null ? { tag: undefined, digest: DIGEST } : { tag, digest: undefined }),
          isInsecure: false,
        }) as ImageReference,
    );
}

test.each([
  ['etcd', 'etcd:latest', 'etcd:latest', undefined],
  ['r.io/etcd:1', 'r.io/etcd:1', 'r.io/etcd:1', undefined],
  [`etcd@${DIGEST}`, `etcd@${DIGEST}`, `etcd@${DIGEST}`, undefined],
  [`r.io/etcd:1@${DIGEST}`, 'r.io/etcd:1', `r.io/etcd@${DIGEST}`, DIGEST],
])('%s is stored as %s, asked for as %s, and pinned to %s', (text, stored, asked, pin) => {
  const reference = parseReference(text);
  expect(formatReference(reference)).toBe(stored);
  expect(formatRequest(reference)).toBe(asked);
  expect(findPin(reference)).toBe(pin);
});

test('a new name has a tag or a digest', () => {
  expect(parseNewName('etcd:1')).toEqual(parseReference('etcd:1'));
  expect(parseNewName(`etcd@${DIGEST}`)).toEqual(parseReference(`etcd@${DIGEST}`));
  expect(catchError(() => parseNewName(`etcd:1@${DIGEST}`))).toEqual({
    code: 'BAD_REFERENCE',
    message: `reading the image name "etcd:1@${DIGEST}": a new name has a tag or a digest, not both`,
    hint: HINT,
  });
});
