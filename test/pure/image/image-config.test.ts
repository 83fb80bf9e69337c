import { expect, test } from 'bun:test';
import {
  emptyImageConfig,
  findHealthcheck,
  parseImageConfig,
  rejectImage,
  runsOnce,
} from '../../../src/image/configuration-blob.ts';
import { catchError } from '../../support/thrown-error.ts';

test('reads the configuration for the start of an image', () => {
  const text = JSON.stringify({
    architecture: 'amd64',
    config: {
      Entrypoint: ['/etcd'],
      Cmd: ['--version'],
      Env: ['PATH=/bin', 'ODD'],
      WorkingDir: '/srv',
      User: 'etcd:etcd',
      Labels: { 'atomic.type': 'system' },
      StopSignal: 'SIGQUIT',
      Volumes: { '/data': {} },
    },
    rootfs: { type: 'layers' },
  });
  expect(parseImageConfig(text, 'etcd')).toEqual({
    entrypoint: ['/etcd'],
    cmd: ['--version'],
    env: ['PATH=/bin', 'ODD'],
    workingDirectory: '/srv',
    user: 'etcd:etcd',
    labels: { 'atomic.type': 'system' },
    stopSignal: 'SIGQUIT',
    volumes: ['/data'],
  });
});

test.each([
  '{}',
  '{"config": null}',
  '{"config": {}}',
  '{"config": {"Entrypoint": null, "Cmd": null, "Env": null, "Labels": null, "StopSignal": ""}}',
])('an image may say nothing: %s', (text) => {
  expect(parseImageConfig(text, 'etcd')).toEqual(emptyImageConfig);
});

test.each([
  ['nonsense', "line 1, column 1: unexpected 'n'"],
  ['{"config": []}', 'config must be an object'],
  ['{"config": {"Entrypoint": "/bin/sh"}}', 'config.Entrypoint must be an array'],
  ['{"config": {"Cmd": ["a", 1]}}', 'config.Cmd[1] must be a string'],
  ['{"config": {"Env": [null]}}', 'config.Env[0] must be a string'],
  ['{"config": {"WorkingDir": 1}}', 'config.WorkingDir must be a string'],
  ['{"config": {"User": 1}}', 'config.User must be a string'],
  ['{"config": {"Labels": {"a": 1}}}', 'config.Labels.a must be a string'],
  ['{"config": {"StopSignal": 15}}', 'config.StopSignal must be a string'],
])('refuses %s', (text, problem) => {
  expect(catchError(() => parseImageConfig(text, 'etcd'))).toEqual({
    code: 'MANIFEST_INVALID',
    message: `Invalid configuration blob in image: etcd. ${problem}`,
    hint: 'The image is broken; build or pull it again.',
  });
});

test.each([
  ['{"config":{"Labels":{"atomic.run":"once"}}}', true],
  ['{"config":{"Entrypoint":"/bin/sh","Labels":{"n":1,"atomic.run":"once"}}}', true],
  ['{"config":{"Labels":{"atomic.run":"never"}}}', false],
  ['{"config":{"Labels":["atomic.run"]}}', false],
  ['{"config":null}', false],
  ['{"atomic.run":"once"}', false],
])('%s asks for one run: %p', (text, expected) => {
  expect(runsOnce(text, 'etcd')).toBe(expected);
});

test.each<[text: string, expected: unknown]>([
  ['{"config":{"Healthcheck":{"Test":["NONE"]},"Cmd":"/bin/sh"}}', { Test: ['NONE'] }],
  ['{"config":{"Healthcheck":"NONE"}}', 'NONE'],
  ['{"config":null}', undefined],
  ['{}', undefined],
])('the health check of %s', (text, expected) => {
  expect(findHealthcheck(text, rejectImage('etcd'))).toEqual(expected);
});

test.each(['[]', '{"config": 1}'])('no health check of %s: it is refused', (text) => {
  expect(catchError(() => findHealthcheck(text, rejectImage('etcd', 'Build it again.')))).toMatchObject({
    code: 'MANIFEST_INVALID',
    hint: 'Build it again.',
  });
});
