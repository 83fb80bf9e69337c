/** Sentences of skopeo as they were observed, and their errors. */
import { expect, test } from 'bun:test';
import type { ErrorCode } from '../../src/base/errors.ts';
import { describeSkopeoFailure, type SkopeoTask } from '../../src/source/failures/skopeo-failure.ts';
import { rewordSkopeo } from '../../src/source/failures/skopeo-words.ts';

/** Without a message, the sentence itself in the wording of `rewordSkopeo`. */
const sentences: [words: string, code: ErrorCode, message?: string][] = [
  ['reading manifest latest in reg:5000/etcd: manifest unknown: manifest unknown', 'IMAGE_NOT_FOUND'],
  [
    'reading manifest latest in docker.io/library/nope: errors: denied: requested access to the resource is denied unauthorized: authentication required',
    'REGISTRY_AUTH',
  ],
  [
    'reading manifest latest in quay.io/x/y: unauthorized: access to the requested resource is not authorized',
    'REGISTRY_AUTH',
  ],
  [
    'unable to retrieve auth token: invalid username/password: unauthorized: incorrect username or password',
    'REGISTRY_AUTH',
  ],
  ['Error fetching blob: invalid status code from registry 403 (Forbidden)', 'REGISTRY_AUTH'],
  ['reading manifest latest in reg/x: StatusCode: 403, ', 'REGISTRY_AUTH'],
  ['reading manifest latest in reg/x: StatusCode: 404, ', 'IMAGE_NOT_FOUND'],
  ['Error fetching blob: invalid status code from registry 404 (Not Found)', 'TRANSFER_FAILED'],
  ['fetching blob: StatusCode: 404, ""', 'TRANSFER_FAILED'],
  ['fetching blob: StatusCode: 410, "Gone for ever"', 'TRANSFER_FAILED'],
  ['fetching blob: blob unknown to registry', 'TRANSFER_FAILED'],
  ['reading blob sha256:00: fetching blob: name unknown: repository name not known', 'TRANSFER_FAILED'],
  ['reading blob sha256:00: blob unknown: blob unknown to registry', 'TRANSFER_FAILED'],
  [
    'fetching blob: Get "https://cdn/x": tls: failed to verify certificate: x509: certificate signed by unknown authority',
    'REGISTRY_UNREACHABLE',
    'fetching blob: Get "https://cdn/x": the certificate of the server is signed by an unknown authority',
  ],
  ['fetching blob: Get "https://cdn/x": dial tcp: lookup cdn: no such host', 'REGISTRY_UNREACHABLE'],
  ['fetching blob: received unexpected HTTP status: 503 Service Unavailable', 'TRANSFER_FAILED'],
  [
    '(heuristic tuning data: total 40 @1129.148 ms, last retry 20 @50.643 ms, last progress @ NaN ms): unexpected EOF',
    'REGISTRY_UNREACHABLE',
  ],
  ['Error fetching blob: invalid status code from registry 503 (Service Unavailable)', 'TRANSFER_FAILED'],
  ['reading manifest latest in reg/x: StatusCode: 502, "upstream denied the request"', 'TRANSFER_FAILED'],
  [
    'reading manifest latest in reg/x: StatusCode: 503, <h1>unauthorized: manifest unknown</h1>',
    'TRANSFER_FAILED',
  ],
  [
    '(Mirrors also failed: [m/x: reading manifest t in m/x: StatusCode: 503, busy]): x: reading manifest t in reg/x: manifest unknown',
    'IMAGE_NOT_FOUND',
  ],
  [
    'reading manifest latest in reg/x: received unexpected HTTP status: 500 Internal Server Error',
    'TRANSFER_FAILED',
  ],
  [
    'reading manifest latest in docker.io/library/x: toomanyrequests: You have reached your pull rate limit.',
    'TRANSFER_FAILED',
  ],
  [
    'pinging container registry reg: Get "https://reg/v2/": http: server gave HTTP response to HTTPS client',
    'REGISTRY_UNREACHABLE',
    'pinging container registry reg: Get "https://reg/v2/": the server answers with HTTP, not with HTTPS',
  ],
  [
    'pinging container registry reg: Get "https://reg/v2/": x509: certificate signed by unknown authority',
    'REGISTRY_UNREACHABLE',
    'pinging container registry reg: Get "https://reg/v2/": the certificate of the server is signed by an unknown authority',
  ],
  [
    'pinging container registry reg: Get "https://reg/v2/": remote error: tls: handshake failure',
    'REGISTRY_UNREACHABLE',
  ],
  [
    'pinging container registry reg: Get "https://reg/v2/": dial tcp: lookup reg on 10.0.0.1:53: no such host',
    'REGISTRY_UNREACHABLE',
  ],
  [
    'pinging container registry reg: Get "https://reg/v2/": dial tcp 10.0.0.1:443: connect: no route to host',
    'REGISTRY_UNREACHABLE',
  ],
  [
    'pinging container registry reg: Get "https://reg/v2/": dial tcp 10.0.0.1:443: i/o timeout',
    'REGISTRY_UNREACHABLE',
  ],
  ['read tcp 10.0.0.2:1->10.0.0.1:443: read: connection reset by peer', 'REGISTRY_UNREACHABLE'],
  ['pinging container registry reg: Get "https://reg/v2/": EOF', 'REGISTRY_UNREACHABLE'],
  ['unexpected EOF', 'REGISTRY_UNREACHABLE'],
  ['corrupted blob, expecting sha256:00', 'DIGEST_MISMATCH'],
  ['expected 5000 bytes in blob, got 91', 'DIGEST_MISMATCH'],
  [
    'no image found in manifest list for architecture amd64, variant "", OS linux',
    'MANIFEST_UNSUPPORTED',
    'the index has no image for architecture amd64, OS linux',
  ],
  [
    'no image found in image index for architecture arm64, variant "v8", OS linux',
    'MANIFEST_UNSUPPORTED',
    'the index has no image for architecture arm64, variant "v8", OS linux',
  ],
  ['unsupported docker v2s2 media type: "application/x-other"', 'MANIFEST_UNSUPPORTED'],
  [
    'unsupported legacy manifest MIME type: application/vnd.docker.distribution.manifest.v1+json',
    'MANIFEST_UNSUPPORTED',
  ],
  [
    "invalid character '<' looking for beginning of value",
    'MANIFEST_INVALID',
    "reading the manifest: invalid character '<' looking for beginning of value",
  ],
  [
    'json: cannot unmarshal array into Go value of type manifest.OCI1',
    'MANIFEST_INVALID',
    'reading the manifest: it must not be of the type array',
  ],
  [
    'exceeded maximum allowed size of 4194304 bytes',
    'MANIFEST_INVALID',
    'reading the manifest: exceeded maximum allowed size of 4194304 bytes',
  ],
  ['Source image rejected: Running image docker://reg/x:latest is rejected by policy.', 'POLICY_REJECTED'],
  ['Source image rejected: A signature was required, but no signature exists', 'POLICY_REJECTED'],
  [
    'loading image from docker engine: Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?',
    'ENGINE_UNREACHABLE',
  ],
  [
    'loading image from docker engine: permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: Get "http://%2Fvar%2Frun%2Fdocker.sock/v1.22/images/get?names=etcd%3Aone": dial unix /var/run/docker.sock: connect: permission denied',
    'ENGINE_UNREACHABLE',
  ],
  [
    'loading image from docker engine: Error response from daemon: reference does not exist',
    'IMAGE_NOT_FOUND',
    'Docker has no image of this name',
  ],
  [
    'reference "[overlay@/var/lib/containers/storage+/run]docker.io/library/x:latest" does not resolve to an image ID: identifier is not an image',
    'IMAGE_NOT_FOUND',
    'the store of podman has no image docker.io/library/x:latest',
  ],
  [`open /srv/etcd/blobs/sha256/${'ab'.repeat(32)}: no such file or directory`, 'ARCHIVE_INVALID'],
  ['open /srv/etcd/index.json: permission denied', 'SOURCE_UNREADABLE'],
  [
    'loading tar component layer.tar: file does not exist',
    'ARCHIVE_INVALID',
    'the archive does not contain layer.tar',
  ],
  ['writing blob: write /store/tmp/x: no space left on device', 'NO_SPACE'],
  ['invalid reference format', 'BAD_REFERENCE'],
  ['something nobody has seen yet', 'TRANSFER_FAILED'],
  // Names of images are no reasons.
  [
    'reading manifest latest in reg/policy-agent: received unexpected HTTP status: 502 Bad Gateway',
    'TRANSFER_FAILED',
  ],
  ['reading manifest latest in reg/certificate-manager: something nobody has seen yet', 'TRANSFER_FAILED'],
  // Not the manifest, although its reader says the same.
  [
    'getting username and password: reading JSON file "/run/containers/0/auth.json": unmarshaling JSON at "/run/containers/0/auth.json": invalid character \'x\' looking for beginning of value',
    'TRANSFER_FAILED',
  ],
];

test.each(sentences)('%s', (words, code, message = rewordSkopeo(words)) => {
  const error = describeSkopeoFailure(words, 'pull');
  expect({ code: error.code, message: error.message }).toEqual({ code, message });
  expect(error.hint).toMatch(/\S/);
});

test.each(sentences)('the hint is for the task: %s', (words) => {
  expect(describeSkopeoFailure(words, 'push').hint).not.toMatch(/\bpull/);
  const { hint, isTransient } = describeSkopeoFailure(words, 'export');
  expect(hint).toMatch(words.includes('no space') ? /^Free some space/ : /^Check that the folder/);
  expect(isTransient).toBe(false);
});

test.each<[string, SkopeoTask, ErrorCode, RegExp]>([
  ['writing blob: uploading layer to reg/x: denied', 'push', 'REGISTRY_AUTH', /no write permission/],
  ['reading manifest 1 in reg/x: denied', 'pull', 'REGISTRY_AUTH', /skopeo login/],
  [
    'writing manifest: uploading manifest 1 to reg/x: unauthorized: authentication required',
    ...(['push', 'REGISTRY_AUTH', /skopeo login/] as const),
  ],
  [
    'writing manifest: uploading manifest 1 to reg/x: unsupported: The operation is unsupported.',
    ...(['push', 'TRANSFER_FAILED', /read-only/] as const),
  ],
  [
    'writing blob: initiating layer upload to /v2/x: StatusCode: 404, ',
    'push',
    'TRANSFER_FAILED',
    /create the/,
  ],
  ['pinging container registry reg: StatusCode: 404, ', 'push', 'REGISTRY_UNREACHABLE', /not a registry/],
  ['writing manifest: manifest invalid: odd', 'push', 'TRANSFER_FAILED', /rejects the manifest/],
  ['writing manifest: manifest invalid: odd', 'pull', 'TRANSFER_FAILED', /skopeo --debug/],
  ['writing blob: Digest invalid', 'push', 'DIGEST_MISMATCH', /push again/],
  ['writing blob: something nobody has seen yet', 'push', 'TRANSFER_FAILED', /log, then push again/],
  ['open /root/.docker/config.json: permission denied', 'push', 'SOURCE_UNREADABLE', /read this file/],
  ['write /srv/x.tar: disk quota exceeded', 'export', 'NO_SPACE', /^Free some space and try again/],
])('%s, for a %s', (words, task, code, hint) => {
  expect(describeSkopeoFailure(words, task)).toMatchObject({ code, hint: expect.stringMatching(hint) });
});

/** Everything else is an answer: asked again, it would be the same. */
const TRANSIENT =
  /registry 503|HTTP status: 50[023]|^reading .*StatusCode: 50[23]|no route to host|i\/o timeout|reset by peer|: EOF$|unexpected EOF$/;

test.each(sentences)('may it succeed in a moment? %s', (words) => {
  expect(describeSkopeoFailure(words, 'pull').isTransient).toBe(TRANSIENT.test(words));
});

test.each([
  'pinging container registry reg: Get "https://reg/v2/": net/http: TLS handshake timeout',
  'pinging container registry reg: Get "https://reg/v2/": dial tcp 10.0.0.1:443: connect: connection timed out',
  'Get "https://reg/v2/": dial tcp: lookup reg on 10.0.0.1:53: server misbehaving',
  'read tcp 10.0.0.2:1->10.0.0.1:443: write: broken pipe',
])('may succeed in a moment: %s', (words) => {
  const { code, isTransient } = describeSkopeoFailure(words, 'pull');
  expect({ code, isTransient }).toEqual({ code: 'REGISTRY_UNREACHABLE', isTransient: true });
});

test.each<[string, ErrorCode, string, RegExp]>([
  [
    'pinging container registry reg: Get "https://reg/v2/": dial tcp: lookup reg on 10.0.0.1:53: no such host',
    'REGISTRY_UNREACHABLE',
    'pinging container registry reg: the host reg is unknown',
    /name of the registry/,
  ],
  [
    'pinging container registry reg: Get "https://reg/v2/": dial tcp: lookup reg on 10.0.0.1:53: dial udp 10.0.0.1:53: connect: network is unreachable',
    'REGISTRY_UNREACHABLE',
    'pinging container registry reg: looking up the host reg: dial udp 10.0.0.1:53: connect: network is unreachable',
    /No name server/,
  ],
  [
    'pinging container registry reg: Get "https://reg/v2/": dial tcp: lookup reg on [::1]:53: read udp [::1]:5->[::1]:53: read: connection refused',
    'REGISTRY_UNREACHABLE',
    'pinging container registry reg: looking up the host reg: read udp [::1]:5->[::1]:53: read: connection refused',
    /No name server/,
  ],
  [
    'pinging container registry reg:5000: StatusCode: 404, <html>not found</html>',
    'REGISTRY_UNREACHABLE',
    'pinging container registry reg:5000: the registry answers 404: <html>not found</html>',
    /not a registry/,
  ],
  [
    'pinging container registry reg:5000: received unexpected HTTP status: 404 Not Found',
    'REGISTRY_UNREACHABLE',
    'pinging container registry reg:5000: the registry answers 404',
    /not a registry/,
  ],
  [
    'unsupported schema version 2',
    'MANIFEST_UNSUPPORTED',
    'the manifest has schema version 2, and the Content-Type of version 1',
    /Content-Type/,
  ],
  [
    'unsupported manifest MIME type: application/vnd.oci.image.index.v1+json',
    'MANIFEST_UNSUPPORTED',
    'unsupported manifest MIME type: application/vnd.oci.image.index.v1+json',
    /another index/,
  ],
  [
    'Unimplemented manifest MIME type "application/vnd.docker.distribution.manifest.list.v2+json"',
    'MANIFEST_UNSUPPORTED',
    'Unimplemented manifest MIME type "application/vnd.docker.distribution.manifest.list.v2+json"',
    /another index/,
  ],
])('the hint leads to the cause, and it is final: %s', (words, code, message, hint) => {
  expect(describeSkopeoFailure(words, 'pull')).toMatchObject({
    ...{ code, message, isTransient: false },
    hint: expect.stringMatching(hint),
  });
});

test.each([
  [
    'x509: certificate has expired or is not yet valid: current time 2026-11-28 is after 2024-01-01',
    /^Renew /,
  ],
  ['x509: certificate is valid for other.example.com, not reg', /another name/],
  ["x509: cannot validate certificate for 10.0.0.1 because it doesn't contain any IP SANs", /another name/],
  ['x509: certificate is not valid for any names, but wanted to match reg', /another name/],
  ['x509: certificate relies on legacy Common Name field, use SANs instead', /another name/],
  ['x509: certificate signed by unknown authority', /certs\.d\/REGISTRY\/ca\.crt/],
  ['remote error: tls: bad certificate', /NAME\.key/],
  ['remote error: tls: handshake failure', /openssl s_client/],
  ['x509: negative serial number', /openssl s_client/],
])('the remedy of %s', (words, hint) => {
  const failure = describeSkopeoFailure(
    `pinging container registry reg: Get "https://reg/v2/": ${words}`,
    'pull',
  );
  expect(failure.code).toBe('REGISTRY_UNREACHABLE');
  expect(failure.hint).toMatch(hint);
});
