/**
 * The failures of skopeo. Its protocol before 0.2.8 has no codes, only sentences of containers/image, of Go's network library
 * and of registries. This table alone matches their fixed parts, in the wording of `skopeo-words.ts`.
 */
import type { ErrorCode } from '../../base/errors.ts';

export interface Outcome {
  readonly code: ErrorCode;
  readonly hint: string;
}

export interface FailureWords {
  readonly words: RegExp;
  /** Text in the place of `words`, where they are not plain; `$1` is a group of `words`. */
  readonly plain?: string;
  /** `undefined` for an answer that only a push gets. */
  readonly pull?: Outcome;
  /** `undefined` means the code of a pull, and a general hint. */
  readonly push?: Outcome;
  /** See `AtomicErrorOptions.isTransient`. The answer of a registry or a policy is final. */
  readonly isTransient?: true;
}

const LOGIN_HINT = 'Give --creds USER:PASSWORD, or log in with `skopeo login REGISTRY`.';
const UNREACHABLE: Outcome = {
  code: 'REGISTRY_UNREACHABLE',
  hint: 'Check that the registry is running and can be reached, then pull again; complete layers are kept.',
};

const SERVER_ERROR: Pick<FailureWords, 'pull' | 'isTransient'> = {
  pull: {
    code: 'TRANSFER_FAILED',
    hint: 'The registry has an internal error: look at its log, then pull again.',
  },
  isTransient: true,
};

/** The first match decides. */
export const failures: readonly FailureWords[] = [
  // The text after the status is that of the registry or of a proxy, in any words. With mirrors, the last answer decides.
  { words: /^(?!.*Mirrors also failed).*the registry answers 5[0-9][0-9]/s, ...SERVER_ERROR },
  {
    words: /no space left on device|disk quota exceeded/i,
    pull: {
      code: 'NO_SPACE',
      hint: 'Free some space on the filesystem of the image store and try again.',
    },
    push: { code: 'NO_SPACE', hint: 'Free some space and try again.' },
  },
  either(/invalid reference format/i, {
    code: 'BAD_REFERENCE',
    hint: 'skopeo does not accept this name. skopeo 1.9 does not accept IPv6 addresses: name the host of the registry.',
  }),
  {
    words: /Cannot connect to the Docker daemon/i,
    pull: {
      code: 'ENGINE_UNREACHABLE',
      hint: 'Start Docker: systemctl start docker. If it listens on another address, set DOCKER_HOST.',
    },
  },
  {
    words: /permission denied while trying to connect to the Docker daemon/i,
    pull: {
      code: 'ENGINE_UNREACHABLE',
      hint: 'Run the command as root, or as a member of the group docker.',
    },
  },
  {
    words:
      /loading image from docker engine: Error response from daemon: (?:reference does not exist|no such image.*)/i,
    plain: 'Docker has no image of this name',
    pull: { code: 'IMAGE_NOT_FOUND', hint: 'List the images of Docker: docker images' },
  },
  {
    words:
      /reference "(?:\[[^\]]*\])?([^"]+)" does not resolve to an image ID(?:: identifier is not an image)?/i,
    plain: 'the store of podman has no image $1',
    pull: { code: 'IMAGE_NOT_FOUND', hint: 'List the images of podman: podman images' },
  },
  {
    words: /no descriptor found for reference/i,
    plain: 'the index of the layout does not name',
    pull: { code: 'IMAGE_NOT_FOUND', hint: 'Name a tag that index.json of the layout lists.' },
  },
  {
    words: /open \S*[0-9a-f]{64}: no such file or directory/i,
    pull: {
      code: 'ARCHIVE_INVALID',
      hint: 'A file of the image is missing: copy the whole folder or archive again.',
    },
  },
  either(/open .*: permission denied/i, {
    code: 'SOURCE_UNREADABLE',
    hint: 'Run the command as root, or as a user with permission to read this file.',
  }),
  {
    words: /loading tar component (.+): file does not exist/i,
    plain: 'the archive does not contain $1',
    pull: {
      code: 'ARCHIVE_INVALID',
      hint: 'manifest.json of the archive names a file that is missing; create the archive again.',
    },
  },
  {
    // Before the wrong names: registries use the same words for a missing name and a missing blob.
    words:
      /blob unknown|fetching blob: .*(?:the registry answers 4(?:04|10)|(?:name|manifest) unknown|not (?:known|found))/i,
    pull: {
      code: 'TRANSFER_FAILED',
      hint: 'A part of the image is missing in the registry: push the image to it again.',
    },
    push: {
      code: 'TRANSFER_FAILED',
      hint: 'The registry rejects the manifest; its log gives the reason.',
    },
  },
  {
    words: /manifest (?:invalid|unverified)/i,
    push: {
      code: 'TRANSFER_FAILED',
      hint: 'The registry rejects the manifest; its log gives the reason.',
    },
  },
  // Before the wrong names: skopeo has not asked for a name yet.
  either(/pinging container registry \S+: the registry answers 404/i, {
    code: 'REGISTRY_UNREACHABLE',
    hint: 'The server is not a registry: check the host and the port. A registry has its API at /v2/.',
  }),
  {
    words:
      /manifest unknown|name unknown|repository name not known|not found: manifest|no such image|the registry answers 404/i,
    pull: {
      code: 'IMAGE_NOT_FOUND',
      hint: 'Check the name and the tag; `skopeo list-tags docker://NAME` lists the tags of a repository.',
    },
    push: {
      code: 'TRANSFER_FAILED',
      hint: 'The registry does not create repositories on a push: create the repository there, then push again.',
    },
  },
  either(/unauthorized|authentication required|invalid username\/password|the registry answers 401/i, {
    code: 'REGISTRY_AUTH',
    hint: LOGIN_HINT,
  }),
  {
    // Older versions of skopeo print only the code of the answer, `denied`.
    words: /(?<!permission )\bdenied\b|forbidden|the registry answers 403/i,
    pull: { code: 'REGISTRY_AUTH', hint: LOGIN_HINT },
    push: {
      code: 'REGISTRY_AUTH',
      hint: 'This user has no write permission for the repository: log in as another user, or push to another name.',
    },
  },
  {
    words: /: unsupported(?:: |$)|method not allowed|the registry answers 405/i,
    push: {
      code: 'TRANSFER_FAILED',
      hint: 'The registry does not accept images: it is read-only, or a cache of another registry. Push to another registry.',
    },
  },
  either(/http: server gave HTTP response to HTTPS client/i, {
    plain: 'the server answers with HTTP, not with HTTPS',
    code: 'REGISTRY_UNREACHABLE',
    hint: 'List the registry as insecure in /etc/containers/registries.conf.d, or give --tls-verify=false.',
  }),
  {
    words: /toomanyrequests|too many requests/i,
    pull: {
      code: 'TRANSFER_FAILED',
      hint: 'The registry limits the number of pulls: log in with `skopeo login REGISTRY`, or try again later.',
    },
    push: {
      code: 'TRANSFER_FAILED',
      hint: 'The registry limits the number of requests: push again later.',
    },
  },
  { words: /the registry answers 5[0-9][0-9]/, ...SERVER_ERROR },
  // Of Go's network library, not of a certificate.
  { words: /TLS handshake timeout/, pull: UNREACHABLE, isTransient: true },
  either(/(?:tls: failed to verify certificate: )?x509: certificate has expired or is not yet valid/, {
    plain: 'the certificate of the server has expired or is not yet valid',
    code: 'REGISTRY_UNREACHABLE',
    hint: 'Renew the certificate of the registry. If it is valid, the clock of this machine is wrong: see `date`.',
  }),
  either(
    /(?:tls: failed to verify certificate: )?x509: (?=certificate is (?:valid for|not valid for any)|cannot validate certificate for|certificate relies on legacy Common Name)/,
    {
      plain: '',
      code: 'REGISTRY_UNREACHABLE',
      hint: 'The certificate is for another name: use the name that is in the certificate, or issue a certificate for this name.',
    },
  ),
  either(/(?:tls: failed to verify certificate: )?x509: certificate signed by unknown authority/, {
    plain: 'the certificate of the server is signed by an unknown authority',
    code: 'REGISTRY_UNREACHABLE',
    hint: 'Copy the CA certificate of the registry to /etc/containers/certs.d/REGISTRY/ca.crt, or give --cert-dir.',
  }),
  either(/remote error: tls: (?=bad certificate|certificate required|unknown certificate)/, {
    plain: 'the server rejects this client: ',
    code: 'REGISTRY_UNREACHABLE',
    hint: 'The registry requires a client certificate: copy NAME.cert and NAME.key to /etc/containers/certs.d/REGISTRY, or give --cert-dir.',
  }),
  either(/x509:|tls:/i, {
    code: 'REGISTRY_UNREACHABLE',
    hint: 'Look at the certificate of the registry: openssl s_client -connect REGISTRY:PORT',
  }),
  {
    words:
      /corrupted blob|digest (?:invalid|did not match|mismatch)|does not match|expected [0-9]+ bytes in blob/i,
    pull: {
      code: 'DIGEST_MISMATCH',
      hint: 'The data was changed in the registry or file, or on the way. Nothing of this layer was stored.',
    },
    push: {
      code: 'DIGEST_MISMATCH',
      hint: 'The data was changed on the way to the registry: check its log, its disk and the proxies, then push again.',
    },
  },
  {
    words: /no image found in (?:manifest list|image index) for/i,
    plain: 'the index has no image for',
    pull: {
      code: 'MANIFEST_UNSUPPORTED',
      hint: 'The image is not made for the platform of this machine; use --platform to pull it for another platform.',
    },
  },
  either(/the host \S+ is unknown|no such host/i, {
    code: 'REGISTRY_UNREACHABLE',
    hint: 'Check the name of the registry, and the name servers in /etc/resolv.conf.',
  }),
  either(
    /looking up the host \S+: .*(?:network is unreachable|connection refused|no route to host|not permitted|permission denied)/i,
    {
      code: 'REGISTRY_UNREACHABLE',
      hint: 'No name server can be reached: check the network of this machine, and /etc/resolv.conf.',
    },
  ),
  {
    words:
      /connection refused|connection reset|broken pipe|network is unreachable|no route to host|i\/o timeout|connection timed out|timeout awaiting|Client\.Timeout|context deadline exceeded|server misbehaving|unexpected EOF|: EOF$/i,
    pull: UNREACHABLE,
    isTransient: true,
  },
  {
    words: /(?:unsupported|unimplemented) manifest MIME type:? "?[^" ]*(?:image\.index|manifest\.list)/i,
    pull: {
      code: 'MANIFEST_UNSUPPORTED',
      hint: 'The index names another index, which skopeo does not follow: list the images with `skopeo inspect --raw docker://NAME`, and pull one as NAME@sha256:HEX.',
    },
  },
  {
    // Version 2 is the current one, but the Content-Type leads to the reader of version 1.
    words: /unsupported schema version 2/i,
    plain: 'the manifest has schema version 2, and the Content-Type of version 1',
    pull: {
      code: 'MANIFEST_UNSUPPORTED',
      hint: 'The registry, or a proxy before it, sends a wrong Content-Type: curl -sI https://REGISTRY/v2/NAME/manifests/TAG',
    },
  },
  {
    words: /unsupported (?:manifest|docker|schema)|Unimplemented manifest|MIME type/i,
    pull: {
      code: 'MANIFEST_UNSUPPORTED',
      hint: 'Push the image again as an OCI image or a Docker image of schema 2.',
    },
  },
  {
    // Errors of Go's JSON reader about a manifest; for another file, the message begins with its path.
    words:
      /^(?=invalid character|unexpected end of JSON input|json: |(?:it|the value of \S+) must not be of the type )/,
    plain: 'reading the manifest: ',
    pull: {
      code: 'MANIFEST_INVALID',
      hint: 'The server did not send a manifest: check that the name leads to a registry, and push the image again.',
    },
  },
  {
    words: /^(?=.*exceeded maximum allowed size)/,
    plain: 'reading the manifest: ',
    pull: {
      code: 'MANIFEST_INVALID',
      hint: 'The manifest is too large; ask the author of the image.',
    },
  },
  {
    words: /Source image rejected|rejected by policy|signature/i,
    pull: {
      code: 'POLICY_REJECTED',
      hint: 'See /etc/containers/policy.json and containers-policy.json(5).',
    },
  },
];

/** A failure with the same code and hint for a pull and a push. */
function either(words: RegExp, { plain, ...outcome }: Outcome & { readonly plain?: string }): FailureWords {
  return { words, pull: outcome, push: outcome, ...(plain === undefined ? {} : { plain }) };
}
