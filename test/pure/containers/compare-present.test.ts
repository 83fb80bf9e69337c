import { expect, test } from 'bun:test';
import type { DeploymentRecord } from '../../../src/containers/container.ts';
import { comparePresent } from '../../../src/containers/install/compare-present.ts';
import { plainRecord } from '../../support/plain-record.ts';

const record: DeploymentRecord = {
  ...plainRecord,
  image: 'reg:5000/web',
  revision: 'aa',
  values: { PORT: '8081', HOST_UID: 0, EMPTY: '' },
  options: { env: ['A=1'], memory: ['64m'], args: ['-v'] },
};
const compare = (
  values: Readonly<Record<string, string>>,
  { image = 'reg:5000/web', reference = 'reg:5000/web:latest', runtime }: Record<string, string> = {},
) =>
  comparePresent(
    record,
    {
      image,
      values,
      options: {},
      checkedNames: [],
      secrets: {},
      ...(runtime === undefined ? {} : { runtime }),
    },
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

test('names the options that the container does not have', () => {
  const options = { env: ['A=1', 'B=2'], memory: ['1g'], args: ['-v'], volume: ['/a:/b'] };
  const request = { image: record.image, values: {}, options, checkedNames: [], secrets: {} };
  expect(comparePresent(record, request, record.image, 'reg:5000/web:latest')).toEqual([
    { kind: 'option', name: 'volume', installed: null, asked: '/a:/b' },
    { kind: 'option', name: 'env', installed: null, asked: 'B=2' },
    { kind: 'option', name: 'memory', installed: '64m', asked: '1g' },
  ]);
});
