/** Where Docker's own client looks for its engine, in the words of skopeo. */
import { expect, test } from 'bun:test';
import { findEngine } from '../../src/source/local/docker-engine.ts';
import { createSandbox } from '../support/sandbox.ts';

test.each<[env: Record<string, string>, engine: Record<string, string>]>([
  [{}, {}],
  [{ DOCKER_HOST: '' }, {}],
  [{ DOCKER_HOST: 'unix:///run/x.sock' }, { daemonHost: 'unix:///run/x.sock' }],
  [{ DOCKER_HOST: 'tcp://10.0.0.1:2375' }, { daemonHost: 'http://10.0.0.1:2375' }],
  [{ DOCKER_HOST: 'tcp://h:2376', DOCKER_TLS_VERIFY: '1' }, { daemonHost: 'tcp://h:2376' }],
  [
    { DOCKER_HOST: 'tcp://h:2376', DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: '/c' },
    { daemonHost: 'tcp://h:2376', certDirectory: '/c' },
  ],
])('%j', async (env, engine) => {
  const none = { DOCKER_HOST: undefined, DOCKER_TLS_VERIFY: undefined, DOCKER_CERT_PATH: undefined };
  await using store = await createSandbox({ env: { ...none, ...env } });
  expect(findEngine(store.host)).toEqual(engine);
});
