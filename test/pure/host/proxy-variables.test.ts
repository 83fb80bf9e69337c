import { expect, test } from 'bun:test';
import { addProxyVariables } from '../../../src/host/settings.ts';

const settings = { httpProxy: 'http://p:1', httpsProxy: 'http://p:2', noProxy: 'localhost' };

test.each([
  { env: { A: '1' }, settings: {}, result: { A: '1' } },
  {
    env: {},
    settings,
    result: { HTTP_PROXY: 'http://p:1', HTTPS_PROXY: 'http://p:2', NO_PROXY: 'localhost' },
  },
  {
    env: { HTTP_PROXY: 'mine', https_proxy: '' },
    settings,
    result: { HTTP_PROXY: 'mine', https_proxy: '', NO_PROXY: 'localhost' },
  },
])('$env and $settings', ({ env, settings, result }) => {
  expect(addProxyVariables(env, settings)).toEqual(result);
});
