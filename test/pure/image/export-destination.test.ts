import { expect, test } from 'bun:test';
import {
  type Destination,
  formatDestination,
  parseFileDestination,
  parseRegistryDestination,
} from '../../../src/image/export-destination.ts';
import { formatReference } from '../../../src/image/reference.ts';
import { catchError } from '../../support/thrown-error.ts';

const stored = 'reg:5000/a/b:1';
const byDigest = `reg:5000/a/b@sha256:${'a'.repeat(64)}`;

/** As the store has it. */
const nameImage = (reference: string) => ({
  reference,
  tag: /:([^:/@]+)$/.exec(reference.replace(/@.*/, ''))?.[1],
});

const files: [text: string, stored: string, destination: Destination, formatted: string][] = [
  ['oci:/d', stored, { kind: 'oci', path: '/d', tag: '1' }, 'oci:/d:1'],
  ['oci:d:x', stored, { kind: 'oci', path: 'd', tag: 'x' }, 'oci:d:x'],
  ['oci:d', byDigest, { kind: 'oci', path: 'd', tag: undefined }, 'oci:d'],
  ['oci-archive:f.tar', stored, { kind: 'oci-archive', path: 'f.tar', tag: '1' }, 'oci-archive:f.tar:1'],
  [
    'docker-archive:f',
    stored,
    { kind: 'docker-archive', path: 'f', name: stored },
    `docker-archive:f:${stored}`,
  ],
  [
    'docker-archive:f:other:5000/x',
    stored,
    { kind: 'docker-archive', path: 'f', name: 'other:5000/x:latest' },
    'docker-archive:f:other:5000/x:latest',
  ],
  ['docker-archive:f', byDigest, { kind: 'docker-archive', path: 'f', name: undefined }, 'docker-archive:f'],
  ['dir:/d', stored, { kind: 'dir', path: '/d' }, 'dir:/d'],
  // A name that only the original tool could store.
  ['oci:d', 'Upper:1', { kind: 'oci', path: 'd', tag: '1' }, 'oci:d:1'],
];
test.each(files)('%s', (text, name, destination, formatted) => {
  expect(parseFileDestination(text, nameImage(name))).toEqual(
    destination as ReturnType<typeof parseFileDestination>,
  );
  expect(formatDestination(destination)).toBe(formatted);
});

const badFiles: [text: string, reason: string][] = [
  ['/tmp/x.tar', 'its form is unknown'],
  ['docker://reg/x', 'its form is unknown'],
  ['containers-storage:x', 'its form is unknown'],
  ['oci:', 'the path is missing'],
  ['dir::x', 'the path is missing'],
  ['dir:/d:x', 'such a folder holds one image, and no tag'],
  ['oci:a\0b', 'the path has a NUL byte'],
  ['oci-archive:new/', 'an archive is a file, not a folder'],
  ['oci-archive:rel.tar:bad tag', '"bad tag" cannot be a tag of a layout'],
  ['oci:f:-x', '"-x" cannot be a tag of a layout'],
  ['oci:f:1.', '"1." cannot be a tag of a layout'],
  [`docker-archive:f:${byDigest}`, 'the name must have a tag'],
];
test.each(badFiles)('%p is refused', (text, reason) => {
  const { code, message } = catchError(() => parseFileDestination(text, nameImage(stored)));
  expect([code, message]).toEqual([
    'BAD_VALUE',
    `reading the destination ${JSON.stringify(text)}: ${reason}`,
  ]);
});

const registries: [text: string | undefined, stored: string, name: string, isInsecure: boolean][] = [
  [undefined, stored, stored, false],
  [undefined, byDigest, byDigest, false],
  ['other.example/x', stored, 'other.example/x:latest', false],
  ['docker://other.example/x:2', stored, 'other.example/x:2', false],
  ['http:other.example/x', stored, 'other.example/x:latest', true],
];
test.each(registries)('push to %p', (text, name, expected, isInsecure) => {
  const destination = parseRegistryDestination(text, name);
  expect([formatReference(destination.reference), destination.reference.isInsecure]).toEqual([
    expected,
    isInsecure,
  ]);
  expect(formatDestination(destination)).toBe(`docker://${expected}`);
});

const badRegistries: [text: string | undefined, code: string, hint: string][] = [
  [undefined, 'BAD_VALUE', 'Write the destination: atomic images push etcd:1 REGISTRY/etcd:1'],
  ['team/x', 'BAD_VALUE', 'Write the destination: atomic images push etcd:1 REGISTRY/team/x:latest'],
  ['oci:/d', 'BAD_VALUE', 'For files: atomic images export etcd:1 oci:/d'],
];
test.each(badRegistries)('push to %p is refused', (text, code, hint) => {
  const error = catchError(() => parseRegistryDestination(text, 'etcd:1'));
  expect([error.code, error.hint]).toEqual([code, hint]);
});
