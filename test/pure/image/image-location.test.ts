import { expect, test } from 'bun:test';
import { formatLocation, type ImageLocation, nameLocatedImage } from '../../../src/image/image-location.ts';
import { formatReference, parseReference } from '../../../src/image/reference.ts';
import { catchError } from '../../support/thrown-error.ts';

const archive = (path: string, name?: string): ImageLocation => ({
  kind: 'docker-archive',
  path,
  isCompressed: false,
  index: 1,
  name,
});
const layout = (kind: 'oci' | 'oci-archive', path: string, tag?: string, name?: string): ImageLocation => ({
  kind,
  path,
  tag,
  name,
  described: undefined,
});

test.each<[location: ImageLocation, written: string, stored: string]>([
  [{ kind: 'registry', reference: parseReference('etcd') }, 'docker://etcd:latest', 'etcd:latest'],
  [
    { kind: 'store', transport: 'docker-daemon', reference: parseReference('etcd') },
    'docker-daemon:etcd:latest',
    'etcd:latest',
  ],
  [archive('/t/a.tar', 'etcd:3'), 'docker-archive:/t/a.tar:etcd:3', 'etcd:3'],
  [archive('/t/a.tar'), 'docker-archive:/t/a.tar:@1', 'a:latest'],
  [archive('/t/a.tar.gz'), 'docker-archive:/t/a.tar.gz:@1', 'a:latest'],
  [archive('/t/a.tgz'), 'docker-archive:/t/a.tgz:@1', 'a:latest'],
  [layout('oci', '/t/etcd'), 'oci:/t/etcd', 'etcd:latest'],
  [layout('oci', '/t/etcd', '3'), 'oci:/t/etcd:3', 'etcd:3'],
  [layout('oci', '/t/x', '3', 'r.io/etcd:3'), 'oci:/t/x:3', 'r.io/etcd:3'],
  [layout('oci-archive', '/t/etcd.tar', '3'), 'oci-archive:/t/etcd.tar:3', 'etcd:3'],
  [{ kind: 'dir', path: '/t/etcd' }, 'dir:/t/etcd', 'etcd:latest'],
])('%j is %s, stored as %s', (location, written, stored) => {
  expect(formatLocation(location)).toBe(written);
  expect(formatReference(nameLocatedImage(location))).toBe(stored);
});

test.each<[location: ImageLocation, name: string]>([
  [archive('/t/a.tar', '../../etc/passwd:1'), '../../etc/passwd:1'],
  [archive('/t/a.tar', '/etc/passwd'), '/etc/passwd'],
  [archive('/t/a.tar', 'a\0b'), 'ab'],
  [archive('/t/a.tar', 'n'.repeat(4096)), `${'n'.repeat(77)}...`],
  [archive('/t/Upper Case.tar'), 'Upper Case'],
  [layout('oci', '/t/etcd', 'a b'), 'etcd:a b'],
  [{ kind: 'dir', path: '/' }, ''],
])('the name of %j is refused', (location, name) => {
  const { code, message, hint } = catchError(() => nameLocatedImage(location));
  expect([code, hint]).toEqual([
    'BAD_REFERENCE',
    'Store it under another name: atomic pull --as NAME[:TAG] SOURCE',
  ]);
  expect(message).toEndWith(`: '${name}' is not a name for an image`);
  expect(message.length).toBeLessThan(400);
});
