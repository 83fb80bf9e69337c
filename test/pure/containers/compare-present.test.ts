import { expect, test } from 'bun:test';
import type { DeploymentRecord } from '../../../src/containers/container.ts';
import { comparePresent } from '../../../src/containers/install/compare-present.ts';
import { noHostFiles } from '../../../src/containers/render/hostfiles/host-file.ts';

const record: DeploymentRecord = {
  image: 'reg:5000/web',
  revision: 'aa',
  ostreeCommit: '',
  created: 0,
  values: { PORT: '8081', HOST_UID: 0, EMPTY: '' },
  hasContainerService: true,
  runtime: '/usr/bin/runc',
  hostFiles: noHostFiles,
  createdFolders: [],
  valueOrigins: undefined,
};
const compare = (
  values: Readonly<Record<string, string>>,
  { image = 'reg:5000/web', reference = 'reg:5000/web:latest', runtime }: Record<string, string> = {},
) =>
  comparePresent(
    record,
    { image, values, checkedNames: [], ...(runtime === undefined ? {} : { runtime }) },
    image,
    reference,
  );

test('equal values, the same image and the same runtime differ in nothing', () => {
  expect(compare({ PORT: '8081', EMPTY: '' })).toEqual([]);
  expect(compare({}, { image: 'reg:5000/web:latest' })).toEqual([]);
  expect(compare({}, { runtime: '/usr/bin/../bin/runc' })).toEqual([]);
  expect(compare({}, { runtime: 'runc' })).toEqual([]);
});

test('names every difference', () => {
  const found = compare(
    { PORT: '9999', NEW: '', EMPTY: 'x', constructor: 'y' },
    { image: 'reg:5000/web:2', reference: 'reg:5000/web:2', runtime: '/usr/bin/crun' },
  );
  expect(found).toEqual([
    { kind: 'image', name: 'image', installed: 'reg:5000/web', asked: 'reg:5000/web:2' },
    { kind: 'value', name: 'PORT', installed: '8081', asked: '9999' },
    { kind: 'value', name: 'NEW', installed: null, asked: '' },
    { kind: 'value', name: 'EMPTY', installed: '', asked: 'x' },
    { kind: 'value', name: 'constructor', installed: null, asked: 'y' },
    { kind: 'runtime', name: 'runtime', installed: '/usr/bin/runc', asked: '/usr/bin/crun' },
  ]);
});
