import { describe, expect, test } from 'bun:test';
import { rejectConfig } from '../../../src/containers/render/config/runtime-config.ts';
import {
  buildSecretValues,
  changeSecrets,
  parseSecretOption,
} from '../../../src/containers/render/secrets/secret-option.ts';
import { addSecretsMount, formatSecretLines } from '../../../src/containers/render/secrets/secret-reader.ts';
import type { DeclaredVariables } from '../../../src/containers/render/values/declared-variables.ts';
import { catchError } from '../../support/thrown-error.ts';

describe('--secret', () => {
  const parse = (word: string) =>
    parseSecretOption(word, (path) => (path.startsWith('/') ? path : `/cwd/${path}`));

  test('names a file by its absolute path', () => {
    expect(parse('TOKEN=/etc/a=b c')).toEqual(['TOKEN', '/etc/a=b c']);
    expect(parse('tls.key-1=key.pem')).toEqual(['tls.key-1', '/cwd/key.pem']);
  });

  test.each([
    ['=/a', "Invalid name '' in --secret"],
    ['../x=/a', "Invalid name '../x' in --secret"],
    ['.x=/a', "Invalid name '.x' in --secret"],
    ['a:b=/a', "Invalid name 'a:b' in --secret"],
    ['NAME=/a', "Invalid name 'NAME' in --secret: it is a variable of the system"],
    ['A=', '--secret A= names no file'],
    ['A=/a\nExecStart=/bin/x', 'Cannot use /a ExecStart=/bin/x for --secret: a unit cannot name it'],
    ['A=/a\\', 'Cannot use /a\\ for --secret: a unit cannot name it'],
    ['A=/a ', 'Cannot use /a  for --secret: a unit cannot name it'],
  ])('refuses %j', (word, message) => {
    expect(catchError(() => parse(word))).toMatchObject({ code: 'BAD_VALUE', message });
  });

  test('does not print a word that may be the secret itself', () => {
    expect(JSON.stringify(catchError(() => parse('hunter2')))).not.toContain('hunter2');
  });
});

test('secrets are kept, replaced and removed', () => {
  const change = (secrets: Record<string, string>, unsetSecrets: string[]) =>
    changeSecrets({ A: '/a', B: '/b' }, { secrets, unsetSecrets });
  expect(change({ B: '/new', C: '/c' }, ['A'])).toEqual({ B: '/new', C: '/c' });
  expect(catchError(() => change({ A: '/x' }, ['A'])).message).toBe(
    '--secret and --unset-secret both name A',
  );
  expect(catchError(() => change({}, ['X']))).toMatchObject({
    message: '--unset-secret X: there is no such secret',
    hint: 'Its secrets are A, B.',
  });
});

test('in templates a secret stands for the path of its file', () => {
  const secret = { type: 'string', help: '', isRequired: false, isSecret: true, choices: [] } as const;
  const declared: DeclaredVariables = new Map([
    ['TOKEN', secret],
    ['OTHER', secret],
  ]);
  expect(buildSecretValues({ TOKEN: '/etc/t', 'tls.key': '/etc/k' }, declared, {})).toEqual({
    TOKEN: '/run/credentials/TOKEN',
    OTHER: '',
  });
  expect(catchError(() => buildSecretValues({ TOKEN: '/t' }, declared, { TOKEN: 'x' })).message).toBe(
    'TOKEN is given as a value and as a secret',
  );
});

describe('the unit', () => {
  test('without secrets stays as it is', () => {
    expect(formatSecretLines('web', {}, undefined)).toBe('');
  });

  test('loads each file; % is no specifier', () => {
    expect(formatSecretLines('web', { B: '/etc/50%n', A: '/etc/a b:c' }, { uid: 0, gid: 0 })).toBe(
      '\n# Added by atomic: --secret\n[Service]\nLoadCredential=A:/etc/a b:c\nLoadCredential=B:/etc/50%%n\n',
    );
  });

  test('gives a user other than root copies in a folder that is removed', () => {
    const lines = formatSecretLines('web', { A: '/a' }, { uid: 1000, gid: 50 }).split('\n');
    expect(lines.slice(4)).toEqual([
      'ExecStartPre=/usr/bin/install -d -m 0700 /run/atomic-secrets-web',
      'ExecStartPre=/usr/bin/install -d -m 0500 -o 1000 -g 50 /run/atomic-secrets-web/files',
      'ExecStartPre=/usr/bin/install -m 0400 -o 1000 -g 50 ${CREDENTIALS_DIRECTORY}/A /run/atomic-secrets-web/files/A',
      'ExecStopPost=-/bin/rm -rf /run/atomic-secrets-web',
      '',
    ]);
  });
});

describe('the configuration', () => {
  const add = (config: object | string) =>
    addSecretsMount(typeof config === 'string' ? config : JSON.stringify(config), 'web', rejectConfig('c'));
  const user = (uid: number, linux = {}) => ({ process: { user: { uid, gid: uid } }, linux });

  test('gets one mount and one variable, and keeps large numbers', () => {
    const { text, source } = add(
      '{"process":{"env":["A=1"],"rlimits":[{"hard":18446744073709551615}]},"mounts":[{"destination":"/run"}]}',
    );
    expect(source).toBe('/run/credentials/web.service');
    expect(text).toContain('"hard": 18446744073709551615');
    expect(JSON.parse(text)).toMatchObject({
      process: { env: ['A=1', 'CREDENTIALS_DIRECTORY=/run/credentials'] },
      mounts: [
        { destination: '/run' },
        {
          ...{ destination: '/run/credentials', type: 'bind', source },
          options: ['bind', 'ro', 'nosuid', 'nodev', 'noexec'],
        },
      ],
    });
  });

  test('leaves a variable of that name as the image has it', () => {
    const { text } = add({ process: { env: ['CREDENTIALS_DIRECTORY=/x'] } });
    expect(JSON.parse(text).process.env).toEqual(['CREDENTIALS_DIRECTORY=/x']);
  });

  test('shows another user of the host a folder of its own', () => {
    expect(add(user(1000))).toMatchObject({
      ...{ owner: { uid: 1000, gid: 1000 }, source: '/run/atomic-secrets-web/files' },
    });
    const mapping = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
    expect(add(user(5, { uidMappings: mapping, gidMappings: mapping })).owner).toEqual({
      ...{ uid: 100_005, gid: 100_005 },
    });
  });

  test.each([
    [
      { mounts: [{ destination: '/run/credentials' }] },
      'the configuration mounts something at /run/credentials',
    ],
    [{ mounts: [{ destination: '/run//credentials/A' }] }, 'the configuration mounts something at'],
    [
      user(7, { uidMappings: [{ containerID: 0, hostID: 1, size: 1 }] }),
      'the user of the process is not mapped to a user of the host',
    ],
  ])('refuses %j', (config, problem) => {
    expect(catchError(() => add(config))).toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(`--secret: ${problem}`),
    });
  });
});
