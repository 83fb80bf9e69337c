import { describe, expect, test } from 'bun:test';
import { emptyConfiguration, parseConfiguration } from '../../../src/image/configuration-blob.ts';
import { toDigest } from '../../../src/image/digest.ts';
import { catchError } from '../../support/thrown-error.ts';

const DIGEST = toDigest(`sha256:${'1'.repeat(64)}`);

const parse = (blob: unknown) => parseConfiguration(JSON.stringify(blob), 'etcd').details;

test('everything', () => {
  expect(
    parse({
      created: '2016-09-12T10:00:00.5Z',
      os: 'linux',
      architecture: 'arm64',
      variant: 'v8',
      rootfs: { type: 'layers', diff_ids: [DIGEST, 'sha256:2'] },
      history: [
        { created: '2016-09-11T00:00:00Z', created_by: 'ADD file', author: 'me', comment: 'base' },
        { created_by: 'CMD ["x"]', empty_layer: true },
      ],
    }),
  ).toEqual({
    created: new Date('2016-09-12T10:00:00.500Z'),
    platform: { os: 'linux', architecture: 'arm64', variant: 'v8' },
    diffIds: [DIGEST, undefined],
    history: [
      {
        created: new Date('2016-09-11T00:00:00Z'),
        createdBy: 'ADD file',
        author: 'me',
        comment: 'base',
        isEmpty: false,
      },
      { created: undefined, createdBy: 'CMD ["x"]', author: '', comment: '', isEmpty: true },
    ],
  });
});

test.each([[{}], [{ created: 'yesterday', history: null, rootfs: null }], [{ created: 5 }]])(
  'nothing: %p',
  (blob) => {
    expect(parse(blob)).toEqual(emptyConfiguration.details);
  },
);

describe('refused', () => {
  test.each([
    ['[]', 'the document must be an object'],
    ['{"history":{}}', 'history must be an array'],
    ['{"history":[1]}', 'history[0] must be an object'],
    ['{"history":[{"empty_layer":"yes"}]}', 'history[0].empty_layer must be true or false'],
    ['{"os":1}', 'os must be a string'],
  ])('%s', (text, problem) => {
    expect(catchError(() => parseConfiguration(text, 'etcd'))).toMatchObject({
      code: 'MANIFEST_INVALID',
      message: `Invalid configuration blob in image: etcd. ${problem}`,
    });
  });
});
