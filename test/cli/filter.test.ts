import { describe, expect, test } from 'bun:test';
import { buildFilter } from '../../src/cli/output/filter.ts';
import { catchError } from '../support/thrown-error.ts';

const fields = {
  name: (row: { name: string; tags: string[] }) => [row.name],
  tag: (row: { name: string; tags: string[] }) => row.tags,
};
const row = { name: 'gscrivano/Etcd', tags: ['latest', 'v=1'] };

test.each([
  { options: [], passes: true },
  { options: ['name=etcd'], passes: true },
  { options: ['name=ETC'], passes: true },
  { options: ['name='], passes: true },
  { options: ['tag=v=1'], passes: true },
  { options: ['name=etcd', 'tag=latest'], passes: true },
  { options: ['name=etcd', 'tag=nightly'], passes: false },
  { options: ['name=flannel'], passes: false },
])('$options', ({ options, passes }) => {
  expect(buildFilter(options, fields)(row)).toBe(passes);
});

describe('refused', () => {
  test.each([
    ['name', 'The filter name is not formatted correctly.  It should be VAR=VALUE'],
    ['size=1', 'The filter size is not valid.  Please choose from [name, tag]'],
    ['toString=1', 'The filter toString is not valid.  Please choose from [name, tag]'],
    ['=1', 'The filter  is not valid.  Please choose from [name, tag]'],
  ])('%p', (option, message) => {
    expect(catchError(() => buildFilter([option], fields))).toEqual({
      code: 'BAD_VALUE',
      message,
      hint: undefined,
    });
  });
});
