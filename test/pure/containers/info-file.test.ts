import { expect, test } from 'bun:test';
import type { DeploymentRecord } from '../../../src/containers/container.ts';
import { formatInfo, namesImage, parseInfo } from '../../../src/containers/info-file.ts';
import { noHostFiles } from '../../../src/containers/render/hostfiles/host-file.ts';
import { toChecksum } from '../../../src/image/checksum.ts';
import { catchError } from '../../support/thrown-error.ts';

const record: DeploymentRecord = {
  image: 'gscrivano/etcd',
  revision: 'd7c1702506ff',
  ostreeCommit: toChecksum('ab'.repeat(32)),
  created: 1473344340,
  values: { NAME: 'etcd', HOST_UID: 0, ADDTL_MOUNTS: '' },
  hasContainerService: true,
  runtime: '/usr/bin/runc',
  hostFiles: {
    paths: ['/usr/local/bin/etcdctl', '/opt/link'],
    checksums: { '/usr/local/bin/etcdctl': 'cd'.repeat(32), '/opt/link': '0' },
    templates: ['/usr/local/bin/etcdctl'],
    renames: { '/usr/local/bin/ctl': '/usr/local/bin/etcdctl' },
    useLinks: false,
    links: { '/opt/link': 'nowhere' },
    folders: ['/opt'],
  },
  volumes: [],
  foreignFolders: [],
  createdFolders: ['/run/etcd'],
  secrets: {},
  valueOrigins: undefined,
  options: {},
  patches: {},
};

test('writes all keys of `info` in their order, and its own after them', () => {
  expect(formatInfo(record)).toBe(`{
    "image": "gscrivano/etcd",
    "revision": "d7c1702506ff",
    "ostree-commit": "${'ab'.repeat(32)}",
    "created": 1473344340,
    "values": {
        "NAME": "etcd",
        "HOST_UID": 0,
        "ADDTL_MOUNTS": ""
    },
    "has-container-service": true,
    "installed-files": [
        "/usr/local/bin/etcdctl",
        "/opt/link"
    ],
    "installed-files-checksum": {
        "/usr/local/bin/etcdctl": "${'cd'.repeat(32)}",
        "/opt/link": "0"
    },
    "installed-files-template": [
        "/usr/local/bin/etcdctl"
    ],
    "rename-installed-files": {
        "/usr/local/bin/ctl": "/usr/local/bin/etcdctl"
    },
    "rpm-installed": null,
    "system-package": "no",
    "remote": null,
    "use-links": false,
    "runtime": "/usr/bin/runc",
    "created-folders": [
        "/run/etcd"
    ],
    "installed-links": {
        "/opt/link": "nowhere"
    },
    "created-host-folders": [
        "/opt"
    ]
}
`);
});

test('reads its own files', () => {
  expect(parseInfo(formatInfo(record), 'info', '/other')).toEqual(record);
});

test('reads a file at the top as the original writes it', () => {
  const text = '{"installed-files": ["/./x"], "installed-files-checksum": {"/./x": "0"}}';
  const { paths, checksums } = parseInfo(text, 'info', '/other').hostFiles;
  expect({ paths, checksums }).toEqual({ paths: ['/x'], checksums: { '/x': '0' } });
});

test('reads the oldest files: absent keys have defaults', () => {
  expect(parseInfo('{"created": 12.9}', 'info', '/usr/bin/runc')).toEqual({
    image: '',
    revision: '',
    ostreeCommit: '',
    created: 12,
    values: {},
    hasContainerService: true,
    runtime: '/usr/bin/runc',
    hostFiles: noHostFiles,
    volumes: [],
    foreignFolders: [],
    createdFolders: [],
    secrets: {},
    valueOrigins: undefined,
    options: {},
    patches: {},
  });
});

test.each([
  ['', 'it is empty'],
  ['[]', 'the document must be an object'],
  ['{"image": 1}', 'image must be a string'],
  ['{"created": "now"}', 'created must be a number of seconds'],
  ['{"created": -1}', 'created must be a number of seconds'],
  ['{"created": 1e300}', 'created must be a number of seconds'],
  ['{"values": []}', 'values must be an object'],
  ['{"values": {"A": null}}', 'values.A must be a string or a number'],
  ['{"has-container-service": 1}', 'has-container-service must be true or false'],
  ['{"installed-files": {}}', 'installed-files must be an array'],
  ['{"installed-files-checksum": {"/a": 1}}', 'installed-files-checksum./a must be a string'],
])('refuses %s', (text, problem) => {
  expect(catchError(() => parseInfo(text, '/c/etcd.0/info', '/usr/bin/runc'))).toEqual({
    code: 'CONTAINER_DAMAGED',
    message: `Cannot read /c/etcd.0/info: ${problem}`,
    hint: 'Uninstall the container and install it again; its image and its data stay.',
  });
});

test.each<[string, string, string, boolean]>([
  ['ab'.repeat(32), '', 'ab'.repeat(32), true],
  ['', 'id', '', true],
  ['', '', '', false],
  ['../../etc', 'id', 'damaged', false],
  ['AB'.repeat(32), 'id', 'damaged', false],
])('the commit %p with the id %p', (written, revision, commit, isNamed) => {
  const read = parseInfo(JSON.stringify({ revision, 'ostree-commit': written }), 'info', '/bin/runc');
  expect<unknown[]>([read.ostreeCommit, namesImage(read)]).toEqual([commit, isNamed]);
});
