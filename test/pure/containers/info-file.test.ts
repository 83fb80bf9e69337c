import { expect, test } from 'bun:test';
import type { DeploymentRecord } from '../../../src/containers/container.ts';
import { formatInfo, parseInfo } from '../../../src/containers/info-file.ts';
import { catchError } from '../../support/thrown-error.ts';

const record: DeploymentRecord = {
  image: 'gscrivano/etcd',
  revision: 'd7c1702506ff',
  ostreeCommit: 'ab'.repeat(32),
  created: 1473344340,
  values: { NAME: 'etcd', HOST_UID: 0, ADDTL_MOUNTS: '' },
  hasContainerService: true,
  runtime: '/usr/bin/runc',
  installedFiles: ['/usr/local/bin/etcdctl'],
  installedFilesChecksum: { '/usr/local/bin/etcdctl': '0' },
  createdFolders: ['/run/etcd'],
  valueOrigins: undefined,
};

test('writes all keys of `info` in their order, and its own behind them', () => {
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
        "/usr/local/bin/etcdctl"
    ],
    "installed-files-checksum": {
        "/usr/local/bin/etcdctl": "0"
    },
    "installed-files-template": [],
    "rename-installed-files": {},
    "rpm-installed": null,
    "system-package": "no",
    "remote": null,
    "use-links": true,
    "runtime": "/usr/bin/runc",
    "created-folders": [
        "/run/etcd"
    ]
}
`);
});

test('reads back what it wrote', () => {
  expect(parseInfo(formatInfo(record), 'info', '/other')).toEqual(record);
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
    installedFiles: [],
    installedFilesChecksum: {},
    createdFolders: [],
    valueOrigins: undefined,
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
