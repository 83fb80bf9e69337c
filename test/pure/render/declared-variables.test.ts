import { describe, expect, test } from 'bun:test';
import { parseExportsManifest } from '../../../src/containers/render/exports-manifest.ts';
import { listWrongValues } from '../../../src/containers/render/values/declared-variables.ts';
import { findTypeFault, isVariableTypeName } from '../../../src/containers/render/values/variable-types.ts';
import { catchError } from '../../support/thrown-error.ts';

const parse = (manifest: object) => parseExportsManifest(JSON.stringify(manifest), 'web');

describe('types', () => {
  test.each([
    ['string', ['', 'a b', '{"a":\n1}'], ['a\0b']],
    ['int', ['0', '-7', '9007199254740991'], ['1.5', '+1', '0x10', ' 1', '9007199254740993', '1e3']],
    ['port', ['1', '8081', '65535'], ['0', '65536', '080', '-1', 'http', '99999999']],
    ['path', ['/', '/a b/c', '/a..b'], ['a', '', '/a/../b', '/..', '/a\nb', './a']],
    ['bool', ['true', 'false'], ['True', 'yes', '1', '']],
    ['size', ['0', '1048576', '512M', '2T'], ['512MB', '-1', '1.5G', 'M', '5k']],
    ['duration', ['90', '90s', '1h30min', '500ms', '2d'], ['', '-1s', '1 h', '1y', '1.5h', 's']],
  ])('%s', (type, right, wrong) => {
    if (!isVariableTypeName(type)) throw new Error(type);
    for (const text of right) expect([text, findTypeFault(type, text)]).toEqual([text, undefined]);
    for (const text of wrong) expect([text, typeof findTypeFault(type, text)]).toEqual([text, 'string']);
  });
});

test('a declaration gives the default of its variable', () => {
  const { defaultValues, variables, warnings } = parse({
    defaultValues: { OLD: 'x' },
    variables: {
      PORT: { type: 'port', default: 8081, help: 'Where it listens', required: true },
      DEBUG: { type: 'bool', default: false },
      MODE: { choices: ['fast', 'safe', 3] },
      TOKEN: { secret: true },
    },
  });
  expect(warnings).toEqual([]);
  expect(defaultValues).toEqual({ OLD: 'x', PORT: '8081', DEBUG: 'false' });
  expect(Object.fromEntries(variables)).toEqual({
    PORT: { type: 'port', help: 'Where it listens', isRequired: true, isSecret: false, choices: [] },
    DEBUG: { type: 'bool', help: '', isRequired: false, isSecret: false, choices: [] },
    MODE: { type: 'string', help: '', isRequired: false, isSecret: false, choices: ['fast', 'safe', '3'] },
    TOKEN: { type: 'string', help: '', isRequired: false, isSecret: true, choices: [] },
  });
});

test.each([
  [{ PORT: 8081 }, 'variables.PORT must be an object'],
  [{ 'A-B': {} }, 'variables.A-B is no name of a variable'],
  [{ NAME: {} }, 'variables.NAME: atomic decides the value of NAME'],
  [
    { A: { type: 'prot' } },
    'variables.A.type is none of string, int, port, path, bool, size, duration; did you mean port?',
  ],
  [
    { A: { type: 'port', default: 0 } },
    'variables.A.default is not a port, which is a number from 1 to 65535',
  ],
  [{ A: { default: 'c', choices: ['a', 'b'] } }, 'variables.A.default is not one of a, b'],
  [{ A: { type: 'int', choices: [1, 'x'] } }, "variables.A.choices: 'x' is not a whole number"],
  [{ A: { default: ['a'] } }, 'variables.A.default must be a string, a number, true or false'],
  [{ A: { required: 'yes' } }, 'variables.A.required must be true or false'],
  [{ A: { secret: true, default: 'hunter2' } }, 'variables.A is a secret, and has a default'],
  [{ OLD: { default: 'y' } }, 'variables.OLD.default differs from defaultValues'],
  [[], 'variables must be an object'],
])('refuses %j', (variables, problem) => {
  expect(catchError(() => parse({ defaultValues: { OLD: 'x' }, variables }))).toMatchObject({
    code: 'EXPORTS_INVALID',
    message: `Invalid manifest.json file in image: web. ${problem}`,
  });
});

test('names misspelt keys; keys of other programs are no misspelling', () => {
  expect(
    parse({
      defaultvalues: {},
      renameFile: {},
      'use-links': true,
      maintainer: 'me',
      variables: { PORT: { typ: 'port', unit: 's' } },
      healthCheck: { tcp: '127.0.0.1:1', start_period: 1 },
    }).warnings,
  ).toEqual(
    [
      'defaultvalues is unknown and has no effect; did you mean defaultValues?',
      'renameFile is unknown and has no effect; did you mean renameFiles?',
      'use-links is unknown and has no effect; did you mean useLinks?',
      'healthCheck.start_period is unknown and has no effect; did you mean startPeriod?',
      'variables.PORT.typ is unknown and has no effect; did you mean type?',
      'variables.PORT.unit is unknown and has no effect',
    ].map((text) => `manifest.json of the image: ${text}`),
  );
});

describe('values', () => {
  const { variables } = parse({
    variables: {
      PORT: { type: 'port', default: 8081, required: true },
      MODE: { choices: ['fast', 'safe'] },
      OWNER: { required: true },
      KEY: { secret: true, required: true },
      TOKEN: { secret: true },
    },
  });
  const list = (
    values: Readonly<Record<string, string>>,
    set: Readonly<Record<string, string>> = values,
    secrets: readonly string[] = ['KEY'],
  ) => listWrongValues(variables, { values, set, secrets });

  test('right values, and no value where none is required', () => {
    expect(list({ PORT: '80', OWNER: 'me', MODE: 'safe' })).toEqual([]);
    expect(list({ PORT: '80', OWNER: 'me', MODE: '' })).toEqual([]);
  });

  test('all wrong ones at once', () => {
    expect(list({ PORT: '80x', MODE: 'slow', OWNER: '' }, {}, [])).toEqual([
      'PORT=80x is not a port, which is a number from 1 to 65535',
      'MODE=slow is not one of fast, safe',
      'OWNER is missing: --set OWNER=VALUE',
      'KEY is missing: --secret KEY=PATH',
    ]);
  });

  test('a secret is not set as a value, and its value is not printed', () => {
    const problems = list({ PORT: '80', OWNER: 'me', TOKEN: 'hunter2' });
    expect(problems).toEqual(['TOKEN is a secret, which --secret TOKEN=PATH gives and --set does not']);
    expect(problems.join()).not.toContain('hunter2');
  });
});
