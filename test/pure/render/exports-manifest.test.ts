import { expect, test } from 'bun:test';
import {
  emptyExportsManifest,
  parseExportsManifest,
} from '../../../src/containers/render/exports-manifest.ts';
import { catchError } from '../../support/thrown-error.ts';

test('reads all keys of the manifest and ignores others', () => {
  const text = JSON.stringify({
    version: '1.0',
    defaultValues: { PORT: 8081, RECEIVER: 'World', EMPTY: '' },
    renameFiles: { '/etc/a': '/etc/$NAME' },
    installedFilesTemplate: ['/etc/b'],
    useLinks: false,
    noContainerService: true,
    settle: 2,
    healthCheck: { tcp: '127.0.0.1:80' },
    stateVersion: 3,
    future: [1],
  });
  expect(parseExportsManifest(text, 'etcd')).toEqual({
    defaultValues: { PORT: '8081', RECEIVER: 'World', EMPTY: '' },
    variables: new Map(),
    renameFiles: { '/etc/a': '/etc/$NAME' },
    installedFilesTemplate: ['/etc/b'],
    useLinks: false,
    noContainerService: true,
    settle: 2,
    healthCheck: {
      probe: { kind: 'tcp', host: '127.0.0.1', port: 80 },
      ...{ interval: 2, timeout: 5, retries: 5, startPeriod: 0 },
    },
    stateVersion: '3',
    warnings: [],
  });
});

test('a manifest with only a version has the defaults (net-snmp, X-25)', () => {
  expect(parseExportsManifest('{"version": "1.0"}', 'net-snmp')).toEqual(emptyExportsManifest);
});

test.each([
  ['{', 'line 1, column 2: unexpected end of the file'],
  ['[]', 'the document must be an object'],
  ['{"defaultValues": []}', 'defaultValues must be an object'],
  ['{"defaultValues": {"A": true}}', 'defaultValues.A must be a string'],
  ['{"defaultValues": {"A\\u001b[2J": null}}', 'defaultValues.A must be a string'],
  ['{"renameFiles": {"/a": 1}}', 'renameFiles./a must be a string'],
  ['{"installedFilesTemplate": "x"}', 'installedFilesTemplate must be an array'],
  ['{"installedFilesTemplate": [1]}', 'installedFilesTemplate[0] must be a string'],
  [
    '{"stateVersion": "a b"}',
    'stateVersion must be a number or up to 64 letters, digits and the characters _.+-',
  ],
  ['{"useLinks": 1}', 'useLinks must be true or false'],
  ['{"noContainerService": "no"}', 'noContainerService must be true or false'],
])('refuses %s', (text, problem) => {
  expect(catchError(() => parseExportsManifest(text, 'reg/etcd'))).toEqual({
    code: 'EXPORTS_INVALID',
    message: `Invalid manifest.json file in image: reg/etcd. ${problem}`,
    hint: 'Correct /exports/manifest.json and build the image again.',
  });
});
