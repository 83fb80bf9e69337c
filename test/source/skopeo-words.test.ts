/** One wording for the messages of all versions of skopeo; the pairs come from skopeo 1.9 and 1.18. */
import { expect, test } from 'bun:test';
import { hasReconnected, rewordSkopeo } from '../../src/source/failures/skopeo-words.ts';

const signature =
  'gpgme.Signature{Summary:128, Fingerprint:"0BF4278D81571D657BBF7216F812BC5D55361A72", Status:gpgme.Error{err:0x9}, Timestamp:time.Date(2026, time.November, 30, 9, 48, 40, 0, time.Local), ValidityReason:error(nil), PubkeyAlgo:1}';

test.each([
  [
    'Error fetching blob: invalid status code from registry 404 (Not Found)',
    'fetching blob: the registry answers 404',
  ],
  ['fetching blob: StatusCode: 404, ""', 'fetching blob: the registry answers 404'],
  [
    'reading manifest latest in reg/x: StatusCode: 404, ',
    'reading manifest latest in reg/x: the registry answers 404',
  ],
  [
    'fetching blob: StatusCode: 410, "It {is} gone"',
    'fetching blob: the registry answers 410: "It {is} gone"',
  ],
  [
    'pinging container registry reg: received unexpected HTTP status: 502 Bad Gateway',
    'pinging container registry reg: the registry answers 502',
  ],
  [
    "pinging container registry reg: invalid status code from registry 418 (I'm a teapot)",
    'pinging container registry reg: the registry answers 418',
  ],
  ['received unexpected HTTP status: 503 Service Unavailable (mirror)', 'the registry answers 503 (mirror)'],
  [
    'reading manifest 1 in reg/x: manifest unknown: manifest unknown',
    'reading manifest 1 in reg/x: manifest unknown',
  ],
  ['reading manifest 1 in reg/x: manifest unknown', 'reading manifest 1 in reg/x: manifest unknown'],
  [
    '(heuristic tuning data: total 0 @1121.122 ms, last retry 0 @0.014 ms, last progress @ NaN ms): unexpected EOF',
    'unexpected EOF',
  ],
  [
    'no image found in image index for architecture "arm64", variant "", OS "linux"',
    'no image found in image index for architecture arm64, OS linux',
  ],
  [
    'no image found in manifest list for architecture arm64, variant "v8", OS linux',
    'no image found in manifest list for architecture arm64, variant "v8", OS linux',
  ],
  [
    `Source image rejected: Invalid GPG signature: ${signature}`,
    'Source image rejected: Invalid GPG signature (key 0BF4278D81571D657BBF7216F812BC5D55361A72)',
  ],
  [
    `Invalid GPG signature: ${signature}; ${signature} twice`,
    'Invalid GPG signature (key 0BF4278D81571D657BBF7216F812BC5D55361A72); (key 0BF4278D81571D657BBF7216F812BC5D55361A72) twice',
  ],
  // The end of a long message may be cut, and a text in quotes may hold a brace.
  ['Invalid GPG signature: gpgme.Signature{Summary:128, Status:gpgme.Error{', 'Invalid GPG signature'],
  ['bad: &url.Error{Op:"a \\"} b", URL:"}"} of reg', 'bad of reg'],
  ['no structure: reg.example.com/{a}', 'no structure: reg.example.com/{a}'],
  [
    'json: cannot unmarshal string into Go struct field OCI1.Manifest.layers of type []v1.Descriptor',
    'the value of layers must not be of the type string',
  ],
  [
    'json: cannot unmarshal number -1 into Go struct field Schema2Descriptor.layers.size of type uint64',
    'the value of layers.size must not be of the type number -1',
  ],
  ['json: cannot unmarshal array into Go value of type manifest.OCI1', 'it must not be of the type array'],
])('%s', (words, wording) => {
  expect(rewordSkopeo(words)).toBe(wording);
});

test('a connection that skopeo has opened again by itself is seen', () => {
  expect(hasReconnected('(heuristic tuning data: total 1 @1 ms): unexpected EOF')).toBe(true);
  expect(hasReconnected('unexpected EOF')).toBe(false);
});
