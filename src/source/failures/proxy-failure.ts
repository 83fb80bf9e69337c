/**
 * Turns what skopeo says into errors with codes. Its protocol before 0.2.8 has no codes, only sentences of
 * containers/image and of Go's network library; their fixed parts are matched here and nowhere else, in the wording of
 * `skopeo-words.ts`.
 */
import { AtomicError, type ErrorCode } from '../../base/errors.ts';
import { hasReconnected, rewordSkopeo } from './skopeo-words.ts';

interface Pattern {
  readonly words: RegExp;
  readonly code: ErrorCode;
  readonly hint: string;
  /** See `AtomicErrorOptions.isTransient`; what a registry or a policy answers is final. */
  readonly isTransient?: true;
}

const UNREACHABLE_HINT =
  'Check that the registry is running and can be reached, then pull again; complete layers are kept.';

const patterns: readonly Pattern[] = [
  {
    words: /invalid reference format/i,
    code: 'BAD_REFERENCE',
    hint: 'This skopeo cannot read such a name. An IPv6 address, for one, is unknown to skopeo 1.9: give the registry a host name.',
  },
  {
    words: /Cannot connect to the Docker daemon/i,
    code: 'ENGINE_UNREACHABLE',
    hint: 'Start it: systemctl start docker; or say where it listens with DOCKER_HOST.',
  },
  {
    words: /permission denied while trying to connect to the Docker daemon/i,
    code: 'ENGINE_UNREACHABLE',
    hint: 'Run the command as root, or as a member of the group docker.',
  },
  {
    words: /reference does not exist|loading image from docker engine: .*no such image/i,
    code: 'IMAGE_NOT_FOUND',
    hint: 'See what the engine has: docker images',
  },
  {
    words: /does not resolve to an image ID/i,
    code: 'IMAGE_NOT_FOUND',
    hint: 'See what the store has: podman images',
  },
  {
    words: /no descriptor found for reference/i,
    code: 'IMAGE_NOT_FOUND',
    hint: 'Look at the tags of the layout: its index.json names them.',
  },
  {
    words: /open \S*[0-9a-f]{64}: no such file or directory/i,
    code: 'ARCHIVE_INVALID',
    hint: 'A file of the image is missing: copy the whole folder or archive again.',
  },
  {
    words: /open .*: permission denied/i,
    code: 'SOURCE_UNREADABLE',
    hint: 'Run the command as a user who may read the image, such as root.',
  },
  {
    words: /tar component/i,
    code: 'ARCHIVE_INVALID',
    hint: 'The archive does not hold what its list says; make it again.',
  },
  {
    words: /no space left on device/i,
    code: 'NO_SPACE',
    hint: 'Free some space on the filesystem of the image store and try again.',
  },
  {
    // Before the wrong names: a registry says the same of a name and of a blob that it does not have.
    words:
      /blob unknown|fetching blob: .*(?:the registry answers 4(?:04|10)|(?:name|manifest) unknown|not (?:known|found))/i,
    code: 'TRANSFER_FAILED',
    hint: 'The registry has lost a part of the image; push the image again.',
  },
  {
    // Before the wrong names: no registry has asked for one yet.
    words: /pinging container registry \S+: the registry answers 404/i,
    code: 'REGISTRY_UNREACHABLE',
    hint: 'What answers there is no registry: check the host and the port; a registry has its API at /v2/.',
  },
  {
    words:
      /manifest unknown|name unknown|repository name not known|not found: manifest|no such image|the registry answers 404/i,
    code: 'IMAGE_NOT_FOUND',
    hint: 'Check the name and the tag; `skopeo list-tags docker://NAME` shows the tags of a repository.',
  },
  {
    words:
      /unauthorized|authentication required|invalid username\/password|denied:|forbidden|the registry answers 40[13]/i,
    code: 'REGISTRY_AUTH',
    hint: 'Give --creds USER:PASSWORD, or log in with `skopeo login REGISTRY`.',
  },
  {
    words: /server gave HTTP response to HTTPS client/i,
    code: 'REGISTRY_UNREACHABLE',
    hint: 'The registry speaks plain HTTP: name it as insecure in /etc/containers/registries.conf.d, or give --tls-verify=false.',
  },
  {
    words: /toomanyrequests|too many requests/i,
    code: 'TRANSFER_FAILED',
    hint: 'The registry limits how much may be pulled: log in with `skopeo login REGISTRY`, or try again later.',
  },
  {
    words: /the registry answers 5[0-9][0-9]/,
    code: 'TRANSFER_FAILED',
    hint: 'The registry has a problem of its own: look at its log, then pull again.',
    isTransient: true,
  },
  {
    // Of Go's network library, not of a certificate.
    words: /TLS handshake timeout/,
    code: 'REGISTRY_UNREACHABLE',
    hint: UNREACHABLE_HINT,
    isTransient: true,
  },
  {
    words: /x509: certificate has expired or is not yet valid/,
    code: 'REGISTRY_UNREACHABLE',
    hint: "Have the registry's certificate renewed; when it is in order, the clock of this machine is not: see `date`.",
  },
  {
    words:
      /x509: (?:certificate is (?:valid for|not valid for any)|cannot validate certificate for|certificate relies on legacy Common Name)/,
    code: 'REGISTRY_UNREACHABLE',
    hint: 'The certificate is for another name: write the registry as the certificate does, or have one made for this name.',
  },
  {
    words: /x509: certificate signed by unknown authority/,
    code: 'REGISTRY_UNREACHABLE',
    hint: "Put the registry's CA into /etc/containers/certs.d/REGISTRY/ca.crt, or give --cert-dir.",
  },
  {
    words: /remote error: tls: (?:bad certificate|certificate required|unknown certificate)/,
    code: 'REGISTRY_UNREACHABLE',
    hint: 'The registry wants a certificate of this machine: put NAME.cert and NAME.key into /etc/containers/certs.d/REGISTRY, or give --cert-dir.',
  },
  {
    words: /x509:|tls:/i,
    code: 'REGISTRY_UNREACHABLE',
    hint: 'Look at what the registry shows: openssl s_client -connect REGISTRY:PORT',
  },
  {
    words: /corrupted blob|digest did not match|does not match|expected [0-9]+ bytes in blob/i,
    code: 'DIGEST_MISMATCH',
    hint: 'The registry, the file or something in between changed the data. Nothing of this layer was stored.',
  },
  {
    words: /no image found in (?:manifest list|image index)/i,
    code: 'MANIFEST_UNSUPPORTED',
    hint: 'The image is not made for the platform of this machine; another one is taken with --platform.',
  },
  {
    words: /the host \S+ is unknown|no such host/i,
    code: 'REGISTRY_UNREACHABLE',
    hint: 'Check the name of the registry; /etc/resolv.conf names the servers that were asked.',
  },
  {
    words:
      /looking up the host \S+: .*(?:network is unreachable|connection refused|no route to host|not permitted|permission denied)/i,
    code: 'REGISTRY_UNREACHABLE',
    hint: 'No name server can be reached: check the network of this machine, and /etc/resolv.conf.',
  },
  {
    words:
      /connection refused|connection reset|broken pipe|network is unreachable|no route to host|i\/o timeout|connection timed out|timeout awaiting|Client\.Timeout|context deadline exceeded|server misbehaving|unexpected EOF|: EOF$/i,
    code: 'REGISTRY_UNREACHABLE',
    hint: UNREACHABLE_HINT,
    isTransient: true,
  },
  {
    words: /(?:unsupported|unimplemented) manifest MIME type:? "?[^" ]*(?:image\.index|manifest\.list)/i,
    code: 'MANIFEST_UNSUPPORTED',
    hint: 'The index names another index, and skopeo follows one only: pull an image of the inner one by its digest, NAME@sha256:HEX; `skopeo inspect --raw docker://NAME` shows them.',
  },
  {
    // The version of today: only the Content-Type has led to the reader of the old one.
    words: /unsupported schema version 2/i,
    code: 'MANIFEST_UNSUPPORTED',
    hint: 'The registry, or a proxy before it, sends the manifest with a wrong Content-Type: curl -sI https://REGISTRY/v2/NAME/manifests/TAG shows it.',
  },
  {
    words: /unsupported (?:manifest|docker|schema)|Unimplemented manifest|MIME type/i,
    code: 'MANIFEST_UNSUPPORTED',
    hint: 'Push the image again as an OCI image or a Docker image of schema 2.',
  },
  {
    // What Go's JSON reader says of a manifest; of other files the path comes first.
    words:
      /^(?:invalid character|unexpected end of JSON input|json: |(?:it|the value of \S+) must not be of the type )/,
    code: 'MANIFEST_INVALID',
    hint: 'What came is no manifest: check that the name leads to a registry, and push the image again.',
  },
  {
    words: /exceeded maximum allowed size/,
    code: 'MANIFEST_INVALID',
    hint: 'The manifest is too large; ask the author of the image.',
  },
  {
    words: /rejected by policy|signature/i,
    code: 'POLICY_REJECTED',
    hint: 'See /etc/containers/policy.json and containers-policy.json(5).',
  },
];

const UNKNOWN_HINT = 'See what skopeo does: skopeo --debug inspect SOURCE, with docker:// before a name';

/** @param words what the proxy or skopeo said, printable */
export function describeProxyFailure(words: string): AtomicError {
  const reworded = rewordSkopeo(words);
  const found: Omit<Pattern, 'words'> = patterns.find((pattern) => pattern.words.test(reworded)) ?? {
    code: 'TRANSFER_FAILED',
    hint: UNKNOWN_HINT,
  };
  // The reader of JSON does not say what it reads.
  const message = found.code === 'MANIFEST_INVALID' ? `reading the manifest: ${reworded}` : reworded;
  return new AtomicError(found.code, message, {
    hint: found.hint,
    isTransient: found.isTransient,
    tries: hasReconnected(words) ? 2 : 1,
  });
}
