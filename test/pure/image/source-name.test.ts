import { expect, test } from 'bun:test';
import { formatReference, parseReference } from '../../../src/image/reference.ts';
import {
  dropRegistryPrefix,
  formatFullName,
  listPlaceSplits,
  parseSourceName,
  parseStoredName,
  type SourceName,
} from '../../../src/image/source-name.ts';
import { catchError } from '../../support/thrown-error.ts';

test.each([
  ['etcd', 'etcd:latest'],
  ['docker:etcd:3', 'etcd:3'],
  ['http:r.io/etcd', 'r.io/etcd:latest'],
  ['dockertar:/srv/etcd.tar', 'dockertar:/srv/etcd.tar'],
  ['Not A Name', 'Not A Name'],
])('the full name of %s is %s', (written, expected) => {
  expect(formatFullName(written)).toBe(expected);
});

const findStoredName = (text: string): string => formatReference(parseStoredName(text));
const registry = (name: string): SourceName => ({ kind: 'registry', reference: parseReference(name) });
const engine = (name: string): SourceName => ({
  kind: 'store',
  transport: 'docker-daemon',
  reference: parseReference(name),
});
const file = (
  transport: 'docker-archive' | 'oci' | 'oci-archive' | 'dir',
  prefix: string,
  place: string,
  orRegistry?: string,
): SourceName => ({
  kind: 'file',
  transport,
  prefix,
  place,
  orRegistry,
});

test.each<[text: string, name: SourceName]>([
  ['etcd', registry('etcd:latest')],
  ['r.io:5000/a/etcd:3.4', registry('r.io:5000/a/etcd:3.4')],
  ['http:r.io/etcd', registry('http:r.io/etcd')],
  ['docker://r.io/etcd', registry('r.io/etcd')],
  // the seed writes it without tag (compatibility I-04)
  ['docker:etcd', engine('etcd:latest')],
  ['docker:etcd:3.4', engine('etcd:3.4')],
  ['docker:r.io:5000/etcd:3.4', engine('r.io:5000/etcd:3.4')],
  ['docker-daemon:etcd:1', engine('etcd:1')],
  // registries and images that are called like a prefix
  ['docker:5000/etcd', registry('docker:5000/etcd')],
  ['docker', registry('docker')],
  ['docker/compose:2', registry('docker/compose:2')],
  ['dir:80/a/b:1', file('dir', 'dir', '80/a/b:1', 'dir:80/a/b:1')],
  [
    'containers-storage:localhost/etcd',
    { kind: 'store', transport: 'containers-storage', reference: parseReference('localhost/etcd') },
  ],
  ['dockertar:/tmp/etcd.tar', file('docker-archive', 'dockertar', '/tmp/etcd.tar')],
  ['dockertar:etcd.tar:etcd:3', file('docker-archive', 'dockertar', 'etcd.tar:etcd:3')],
  ['docker-archive:a.tar', file('docker-archive', 'docker-archive', 'a.tar')],
  ['oci:/srv/etcd:3', file('oci', 'oci', '/srv/etcd:3')],
  ['oci:./etcd', file('oci', 'oci', './etcd')],
  // the old meaning, for where there is no such folder (compatibility I-02)
  ['oci:r.io/etcd:3', file('oci', 'oci', 'r.io/etcd:3', 'oci:r.io/etcd:3')],
  // names of folders that no image can have
  ['oci:Upper case/', file('oci', 'oci', 'Upper case/', 'oci:Upper case/')],
  ['oci-archive:/tmp/a.tar:1', file('oci-archive', 'oci-archive', '/tmp/a.tar:1')],
  ['dir:/tmp/a', file('dir', 'dir', '/tmp/a')],
])('%s', (text, name) => {
  expect(parseSourceName(text)).toEqual(name);
});

test.each([
  ['dockertar:', 'dockertar', '.tar'],
  ['oci-archive:', 'oci-archive', '.tar'],
  ['oci:', 'oci', ''],
  ['dir:', 'dir', ''],
])('%s without a path is refused', (text, prefix, ending) => {
  expect(catchError(() => parseSourceName(text))).toEqual({
    code: 'BAD_REFERENCE',
    message: `reading the image name "${text}": the path is missing`,
    hint: `Write ${prefix}:PATH, for example ${prefix}:/var/tmp/etcd${ending}.`,
  });
});

test.each(['docker:', 'docker:ETCD', 'docker:a b', 'containers-storage:'])(
  '%j is refused before anything is looked at',
  (text) => {
    expect(catchError(() => parseSourceName(text)).code).toBe('BAD_REFERENCE');
  },
);

test('the ways to read a path and the choice after it, the longest path first', () => {
  expect(listPlaceSplits('/a:b/c.tar:etcd:1')).toEqual([
    { path: '/a:b/c.tar:etcd:1', choice: undefined },
    { path: '/a:b/c.tar:etcd', choice: '1' },
    { path: '/a:b/c.tar', choice: 'etcd:1' },
    { path: '/a', choice: 'b/c.tar:etcd:1' },
  ]);
  expect(listPlaceSplits('c.tar')).toEqual([{ path: 'c.tar', choice: undefined }]);
});

test.each([
  ['etcd', 'etcd:latest'],
  ['docker:etcd', 'etcd:latest'],
  ['containers-storage:localhost/etcd:1', 'localhost/etcd:1'],
  ['oci:r.io/etcd', 'r.io/etcd:latest'],
  ['http:r.io/etcd', 'r.io/etcd:latest'],
  [`docker:etcd:3@sha256:${'a'.repeat(64)}`, 'etcd:3'],
])('%s is stored as %s', (text, stored) => {
  expect(findStoredName(text)).toBe(stored);
});

test('text that is not a name is refused', () => {
  expect(catchError(() => findStoredName('oci:a b')).code).toBe('BAD_REFERENCE');
});

test('a file alone does not tell a name', () => {
  expect(catchError(() => findStoredName('dockertar:/tmp/a.tar'))).toEqual({
    code: 'BAD_REFERENCE',
    message: 'reading the image name "dockertar:/tmp/a.tar": it is a file, not the name of a stored image',
    hint: 'Use the name of the stored image: atomic images list',
  });
});

test.each([
  ['etcd', 'etcd'],
  ['oci:etcd', 'etcd'],
  ['http://r.io/etcd', 'r.io/etcd'],
  ['https:r.io/etcd', 'r.io/etcd'],
  ['docker://r.io/etcd', 'r.io/etcd'],
])('%s without the prefix of a registry', (text, name) => {
  expect(dropRegistryPrefix(text)).toBe(name);
});
