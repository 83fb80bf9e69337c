import { expect, test } from 'bun:test';
import {
  type ImageReference,
  parseReference,
  replaceRepository,
  splitName,
} from '../../../src/image/reference.ts';
import {
  judgeRegistryImage,
  judgeTransport,
  parseTrustPolicy,
  type TrustVerdict,
} from '../../../src/source/trust/trust-policy.ts';
import { catchError } from '../../support/thrown-error.ts';

const HEX = 'ab'.repeat(32);
const accept = [{ type: 'insecureAcceptAnything' }];
const reject = [{ type: 'reject' }];
const signed = [{ type: 'signedBy', keyType: 'GPGKeys', keyPath: '/etc/pki/key' }];

/** The image, the scopes that apply to it from the most to the least specific (containers-policy.json(5)). */
const scopesOf: [string, string[]][] = [
  [
    'registry.example.com/team/etcd:3.4',
    [
      'registry.example.com/team/etcd:3.4',
      'registry.example.com/team/etcd',
      'registry.example.com/team',
      'registry.example.com',
      '*.example.com',
      '*.com',
      '',
    ],
  ],
  [`r.io/a/b@sha256:${HEX}`, [`r.io/a/b@sha256:${HEX}`, 'r.io/a/b', 'r.io/a', 'r.io', '*.io', '']],
  [
    'r.example.com:5000/a:t',
    ['r.example.com:5000/a:t', 'r.example.com:5000/a', 'r.example.com:5000', '*.example.com', '*.com', ''],
  ],
  ['localhost:5000/a:t', ['localhost:5000/a:t', 'localhost:5000/a', 'localhost:5000', '']],
  ['[::1]:5000/a:t', ['[::1]:5000/a:t', '[::1]:5000/a', '[::1]:5000', '']],
  // as skopeo expands the names of Docker Hub
  [
    'docker.io/busybox:1',
    [
      'docker.io/library/busybox:1',
      'docker.io/library/busybox',
      'docker.io/library',
      'docker.io',
      '*.io',
      '',
    ],
  ],
  [
    `docker.io/busybox@sha256:${HEX}`,
    [
      `docker.io/library/busybox@sha256:${HEX}`,
      'docker.io/library/busybox',
      'docker.io/library',
      'docker.io',
      '*.io',
      '',
    ],
  ],
  ['index.docker.io/a/b:1', ['docker.io/a/b:1', 'docker.io/a/b', 'docker.io/a', 'docker.io', '*.io', '']],
  [
    'team/etcd:1',
    ['docker.io/team/etcd:1', 'docker.io/team/etcd', 'docker.io/team', 'docker.io', '*.io', ''],
  ],
  ['Registry/a:1', ['Registry/a:1', 'Registry/a', 'Registry', '']],
];

test.each(scopesOf)('%s: the most specific scope decides', (image, scopes) => {
  for (const [index, scope] of scopes.entries()) {
    const applying = Object.fromEntries(
      scopes.slice(index).map((name) => [name, name === scope ? reject : accept]),
    );
    expect(judge(image, applying)).toEqual({ kind: 'reject', scope: scope === '' ? 'docker' : scope });
  }
  expect(judge(image, {}, reject)).toEqual({ kind: 'reject', scope: 'default' });
});

test.each([
  ['another tag', 'r.io/a/b:2'],
  ['another repository with the same beginning', 'r.io/a/bc'],
  ['a shorter namespace without slash', 'r.i'],
  ['a repository below', 'r.io/a/b/c'],
  ['another port', 'r.io:5000'],
  ['a wildcard of the host itself', '*.r.io'],
  ['a bare wildcard', '*'],
  ['the repository with a slash', 'r.io/a/'],
  ['an upper-case host', 'R.io'],
])('%s does not apply', (_, scope) => {
  expect(judge('r.io/a/b:1', { [scope]: reject })).toEqual({ kind: 'accept' });
});

test('scopes of other transports do not apply', () => {
  const text = JSON.stringify({
    default: accept,
    transports: { atomic: { 'r.io': reject }, dir: { '': reject } },
  });
  expect(judgeRegistryImage(parseTrustPolicy(text, '/p'), parseReference('r.io/a:1'))).toEqual({
    kind: 'accept',
  });
});

test.each<[string, unknown[], TrustVerdict]>([
  ['accepting', accept, { kind: 'accept' }],
  ['rejecting', reject, { kind: 'reject', scope: 'r.io' }],
  ['a signature', signed, { kind: 'verify', scope: 'r.io' }],
  ['a sigstore signature', [{ type: 'sigstoreSigned', keyPath: '/k' }], { kind: 'verify', scope: 'r.io' }],
  ['something newer', [{ type: 'ofNextYear' }], { kind: 'verify', scope: 'r.io' }],
  ['accepting and a signature', [...accept, ...signed], { kind: 'verify', scope: 'r.io' }],
  ['a signature and rejecting', [...signed, ...reject], { kind: 'reject', scope: 'r.io' }],
  ['accepting twice', [...accept, ...accept], { kind: 'accept' }],
])('requirements: %s', (_, requirements, verdict) => {
  expect(judge('r.io/a:1', { 'r.io': requirements })).toEqual(verdict);
});

test.each<[string, string, string]>([
  ['no JSON', '{', 'it is not JSON'],
  ['a list', '[]', 'it is not an object'],
  ['no default', '{}', '"default" is not a list of requirements'],
  ['an empty default', '{"default":[]}', '"default" is not a list of requirements'],
  [
    'an unknown key',
    '{"default":[{"type":"reject"}],"Transports":{}}',
    'it has the unknown key "Transports"',
  ],
  [
    'a list of transports',
    '{"default":[{"type":"reject"}],"transports":[]}',
    '"transports" is not an object',
  ],
  [
    'a list of scopes',
    '{"default":[{"type":"reject"}],"transports":{"docker":[]}}',
    '"transports.docker" is not an object',
  ],
  [
    'an empty scope',
    '{"default":[{"type":"reject"}],"transports":{"docker":{"r.io":[]}}}',
    '"transports.docker.r.io" is not a list of requirements',
  ],
  ['a requirement without type', '{"default":[{}]}', 'a requirement of "default" has no type'],
  ['a requirement that is text', '{"default":["reject"]}', 'a requirement of "default" has no type'],
  [
    'accepting with a key',
    '{"default":[{"type":"insecureAcceptAnything","keyPath":"/k"}]}',
    'a requirement "insecureAcceptAnything" of "default" has more than a type',
  ],
])('refuses a policy: %s', (_, text, problem) => {
  const { code, message } = catchError(() => parseTrustPolicy(text, '/etc/containers/policy.json'));
  expect({ code, message }).toEqual({
    code: 'SETTINGS_INVALID',
    message: `reading the trust policy /etc/containers/policy.json: ${problem}`,
  });
});

test('reads the policy that distributions install', () => {
  const text =
    '{"default":[{"type":"insecureAcceptAnything"}],"transports":{"docker-daemon":{"":[{"type":"insecureAcceptAnything"}]}}}';
  expect(parseTrustPolicy(text, '/p')).toEqual({
    default: accept,
    transports: { 'docker-daemon': { '': accept } },
  });
});

test.each<[transports: Record<string, unknown>, fallback: unknown, verdict: 'accept' | 'verify']>([
  [{}, accept, 'accept'],
  [{}, reject, 'verify'],
  [{ docker: { '': reject } }, accept, 'accept'],
  [{ oci: { '': accept } }, reject, 'accept'],
  [{ oci: { '': reject } }, accept, 'verify'],
  // The default is behind the scopes of a transport that has none for everything.
  [{ oci: { '/srv': accept } }, reject, 'verify'],
  [{ oci: { '/srv': accept } }, accept, 'accept'],
  [{ oci: { '/srv': reject } }, accept, 'verify'],
  [{ oci: { '/srv': reject, '': accept } }, accept, 'verify'],
])('judges the transport oci by %j, else %j', (transports, fallback, verdict) => {
  const text = JSON.stringify({ default: fallback, transports });
  expect(judgeTransport(parseTrustPolicy(text, '/p'), 'oci')).toBe(verdict);
});

function judge(image: string, docker: Record<string, unknown[]>, fallback: unknown[] = accept): TrustVerdict {
  const text = JSON.stringify({ default: fallback, transports: { docker } });
  return judgeRegistryImage(parseTrustPolicy(text, '/p'), readName(image));
}

/** A search registry of the configuration may have a name that a person cannot write: `Registry`. */
function readName(text: string): ImageReference {
  return replaceRepository(parseReference(text.toLowerCase()), splitName(text).repository);
}
