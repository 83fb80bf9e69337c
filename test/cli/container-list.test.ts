import { describe, expect, test } from 'bun:test';
import { runtimeZone } from '../../src/base/zone.ts';
import { formatContainerList } from '../../src/commands/containers/list-view.ts';
import type { ContainerStatus, ListedContainer } from '../../src/containers/container.ts';
import { plainRecord } from '../support/plain-record.ts';
import { catchError } from '../support/thrown-error.ts';

const created = new Date(2016, 8, 8, 14, 19, 7);

function buildContainer(name: string, status: ContainerStatus, command: string[]) {
  const record = {
    ...plainRecord,
    image: `gscrivano/${name}`,
    revision: 'd7c1',
    created: created.getTime() / 1000,
    values: { NAME: name, HOST_UID: 0 },
    hasContainerService: status !== 'no service',
  };
  const deployments = [
    { number: 1, isActive: true, record },
    { number: 0, isActive: false, record: undefined },
  ] as const;
  return { kind: 'container', name, status, command, record, unitNotes: [], deployments } as const;
}
const etcd = buildContainer('etcd', 'running', ['/usr/bin/etcd-env.sh']);
const long = buildContainer('kubernetes-apiserver', 'inactive', [
  'sh',
  '-c',
  'exec apiserver --port 8080 --v=2 \n--x',
]);
const files = buildContainer('files', 'no service', []);
const failed = buildContainer('flannel', 'failed', ['run.sh']);
const damaged: ListedContainer = {
  kind: 'damaged',
  name: 'broken',
  reason: 'info: not JSON',
  deployments: [],
};
const all = [etcd, long, files, failed, damaged];
const options = {
  all: false,
  filter: [],
  json: false,
  quiet: false,
  noheading: false,
  'no-trunc': false,
  zone: runtimeZone,
};

test('one container, as in the seed article', () => {
  expect(formatContainerList([etcd], { ...options, all: true })).toBe(
    [
      '   CONTAINER ID IMAGE                COMMAND              CREATED          STATUS    RUNTIME',
      '   etcd         gscrivano/etcd       /usr/bin/etcd-env.sh 2016-09-08 14:19 running   runc',
      '',
    ].join('\n'),
  );
});

test('a unit that is unusual adds a column', () => {
  const edited: ListedContainer = { ...etcd, unitNotes: ['edited', 'disabled'] };
  const lines = formatContainerList([edited, failed], { ...options, all: true }).split('\n');
  expect(lines[0]).toEndWith(' RUNTIME UNIT');
  expect(lines[1]).toEndWith(' runc    edited, disabled');
  expect(lines[2]).toEndWith(' runc');
  expect(formatContainerList([edited, failed], { ...options, quiet: true, filter: ['unit=edited'] })).toBe(
    'etcd\n',
  );
});

test('names and images stay whole, a damaged container is a line', () => {
  expect(formatContainerList(all, { ...options, all: true })).toBe(
    [
      '   CONTAINER ID         IMAGE                          COMMAND                                  CREATED          STATUS     RUNTIME',
      '   etcd                 gscrivano/etcd                 /usr/bin/etcd-env.sh                     2016-09-08 14:19 running    runc',
      '   kubernetes-apiserver gscrivano/kubernetes-apiserver sh -c exec apiserver --port 8080 --v=... 2016-09-08 14:19 inactive   runc',
      '   files                gscrivano/files                                                         2016-09-08 14:19 no service runc',
      '   flannel              gscrivano/flannel              run.sh                                   2016-09-08 14:19 failed     runc',
      '   broken                                                                                                        damaged',
      '',
    ].join('\n'),
  );
});

describe('options', () => {
  const names = ['etcd', 'kubernetes-apiserver', 'files', 'flannel', 'broken'];
  const lines = (shown: string[]): string => shown.map((name) => `${name}\n`).join('');
  test.each([
    { change: { quiet: true, all: true }, text: lines(names) },
    { change: { quiet: true, all: true, json: true }, text: lines(names) },
    { change: { quiet: true }, text: lines(['etcd', 'files', 'flannel', 'broken']) },
    {
      change: { quiet: true, all: true, filter: ['backend=ostree', 'container=etc'] },
      text: lines(['etcd']),
    },
    { change: { quiet: true, all: true, filter: ['state=run'] }, text: lines(['etcd']) },
    { change: { quiet: true, all: true, filter: ['status=DAMAGED'] }, text: lines(['broken']) },
    { change: { quiet: true, filter: ['image=gscrivano/fl'] }, text: lines(['flannel']) },
    { change: { quiet: true, filter: ['command=run.sh'] }, text: lines(['flannel']) },
    { change: { quiet: true, filter: ['runtime=/usr/bin/runc'] }, text: lines(['etcd', 'files', 'flannel']) },
    { change: { quiet: true, filter: ['created=2016-09-08'] }, text: lines(['etcd', 'files', 'flannel']) },
    { change: { filter: ['container=kube'] }, text: '' },
    { change: { filter: ['container=kube'], json: true }, text: '[]\n' },
    {
      change: { 'no-trunc': true, noheading: true, all: true, filter: ['container=kube'] },
      text: '   kubernetes-apiserver gscrivano/kubernetes-apiserver sh -c exec apiserver --port 8080 --v=2  --x 2016-09-08 14:19 inactive  runc\n',
    },
  ])('$change', ({ change, text }) => {
    expect(formatContainerList(all, { ...options, ...change })).toBe(text);
  });

  test('an invalid filter is refused also for an empty list', () => {
    expect(catchError(() => formatContainerList([], { ...options, filter: ['name=x'] }))).toEqual({
      code: 'BAD_VALUE',
      message:
        'The filter name is not valid.  Please choose from [container, image, command, created, state, status, runtime, backend, unit]',
      hint: undefined,
    });
  });
});

test('JSON', () => {
  expect(JSON.parse(formatContainerList([etcd, damaged], { ...options, json: true }))).toEqual([
    {
      id: 'etcd',
      image_id: 'd7c1',
      image_name: 'gscrivano/etcd',
      name: 'etcd',
      command: '/usr/bin/etcd-env.sh',
      created: '2016-09-08 14:19',
      state: 'running',
      backend: 'ostree',
      runtime: '/usr/bin/runc',
      vulnerable: false,
      running: true,
      created_at: created.toISOString(),
      values: { NAME: 'etcd', HOST_UID: 0 },
      problem: null,
      unit: [],
      deployments: [
        {
          ...{ deployment: 1, active: true, image_name: 'gscrivano/etcd', image_id: 'd7c1' },
          created_at: created.toISOString(),
        },
        { deployment: 0, active: false, image_name: null, image_id: null, created_at: null },
      ],
    },
    {
      id: 'broken',
      image_id: '',
      image_name: '',
      name: 'broken',
      command: '',
      created: '',
      state: 'damaged',
      backend: 'ostree',
      runtime: '',
      vulnerable: false,
      running: false,
      created_at: null,
      values: {},
      problem: 'info: not JSON',
      unit: [],
      deployments: [],
    },
  ]);
});
