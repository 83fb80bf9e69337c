import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdirSync, writeFileSync } from 'node:fs';
import type { Settings } from '../../src/host/settings.ts';
import { readSettings } from '../../src/host/settings.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../support/temporary.ts';
import { catchError } from '../support/thrown-error.ts';

let folder: TemporaryFolder;
let path: string;

beforeAll(async () => {
  folder = await createTemporaryFolder('settings');
  path = folder.join('atomic.conf');
});

afterAll(() => folder.remove());

/** The file that the original shipped. */
const SHIPPED = `
# Atomic CLI configuration file
# default scanner, no default
default_scanner:
default_docker: docker
registry_confdir: /etc/containers/registries.d/
discover_sigstores: true
sigstore_metadata_image: sigstore
#default_storage: ostree
#ostree_repository: /ostree/repo
#checkout_path: /var/lib/containers/atomic
#runtime: /usr/bin/runc
`;

test.each<[string, string, Settings]>([
  ['an empty file', '', {}],
  ['comments', '# nothing\n', {}],
  ['the file of the original', SHIPPED, {}],
  ['a document without content', '---\n', {}],
  [
    'every key',
    `ostree_repository: /srv/repo
checkout_path: "/srv/checkouts"
runtime: '/usr/bin/crun'
http_proxy: http://proxy:3128
https_proxy: http://proxy:3129
no_proxy: localhost,127.0.0.1
`,
    {
      ostreeRepository: '/srv/repo',
      checkoutPath: '/srv/checkouts',
      runtime: '/usr/bin/crun',
      httpProxy: 'http://proxy:3128',
      httpsProxy: 'http://proxy:3129',
      noProxy: 'localhost,127.0.0.1',
    },
  ],
  [
    'upper-case keys',
    'RUNTIME: /usr/bin/crun\nHTTP_PROXY: http://p\n',
    { runtime: '/usr/bin/crun', httpProxy: 'http://p' },
  ],
  ['both cases: lower case counts', 'RUNTIME: /a\nruntime: /b\n', { runtime: '/b' }],
  ['a key without value', 'runtime:\nRUNTIME: /a\n', { runtime: '/a' }],
  [
    'keys of other parts of the original',
    'default_signer: me\nregistries_binary: /x\ndiscover_sigstores: 7\n',
    {},
  ],
])('reads %s', (_, text, settings) => {
  expect(read(text)).toEqual(settings);
});

test('X-29: without a file the defaults count', () => {
  expect(readSettings({ ATOMIC_CONF: folder.join('missing') })).toEqual({});
});

test.each<[string, string, string]>([
  ['text', 'just text', 'it is not a list of "key: value" lines'],
  ['a list', '- a\n- b\n', 'it is not a list of "key: value" lines'],
  ['two documents', 'runtime: /a\n---\nruntime: /b\n', 'it is not a list of "key: value" lines'],
  ['a number', 'runtime: 7\n', '"runtime" is not text'],
  ['a list as value', 'no_proxy: [a, b]\n', '"no_proxy" is not text'],
  ['a table as value', 'runtime:\n  path: /a\n', '"runtime" is not text'],
  ['another consent', 'consent: all\n', '"consent" must be ask or any'],
  ['a relative repository', 'ostree_repository: repo\n', 'repo is not an absolute path'],
  ['a relative checkout path', 'checkout_path: ./x\n', './x is not an absolute path'],
  ['an empty checkout path', 'checkout_path: ""\n', ' is not an absolute path'],
  ['a home directory', 'checkout_path: ~/x\n', '~/x is not an absolute path'],
])('refuses %s', (_, text, problem) => {
  expect(catchError(() => read(text))).toEqual({
    code: 'SETTINGS_INVALID',
    message: `reading ${path}: ${problem}`,
    hint: 'Correct the file, or remove it to get the defaults.',
  });
});

test.each(['run_time', 'Runtime', 'checkout-path', 'default_storages'])(
  'refuses the unknown key %s',
  (key) => {
    expect(catchError(() => read(`runtime: /a\n${key}: /b\n`))).toEqual({
      code: 'SETTINGS_INVALID',
      message: `reading ${path}: unknown key "${key}"`,
      hint: 'Correct or remove it. The keys are ostree_repository, checkout_path, runtime, http_proxy, https_proxy, no_proxy, consent.',
    });
  },
);

test('refuses what is not YAML', () => {
  expect(catchError(() => read('runtime: "unclosed\n')).message).toBe(`reading ${path}: it is not YAML`);
});

test('a folder in its place does not count as a missing file', () => {
  mkdirSync(folder.join('folder'));
  const { code, message } = catchError(() => readSettings({ ATOMIC_CONF: folder.join('folder') }));
  expect(code).toBe('SETTINGS_INVALID');
  expect(message).toStartWith(`reading ${folder.join('folder')}: EISDIR`);
});

function read(text: string): Settings {
  writeFileSync(path, text);
  return readSettings({ ATOMIC_CONF: path });
}
