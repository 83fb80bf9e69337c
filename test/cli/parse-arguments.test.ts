import { describe, expect, test } from 'bun:test';
import type { CommandSpec } from '../../src/cli/arguments/command-spec.ts';
import { parseArguments } from '../../src/cli/arguments/parse-arguments.ts';
import { install } from '../../src/commands/containers/install.ts';
import { containersList } from '../../src/commands/containers/list.ts';
import { uninstall } from '../../src/commands/containers/uninstall.ts';
import { pull } from '../../src/commands/images/pull.ts';
import { serviceOptions } from '../../src/commands/options/service-options.ts';
import { catchError } from '../support/thrown-error.ts';

const spec: CommandSpec = {
  description: [],
  operands: { image: { label: 'IMAGE', description: '' } },
  options: {
    json: { kind: 'flag', description: '' },
    all: { kind: 'flag', short: 'a', description: '' },
    name: { kind: 'value', label: 'NAME', short: 'n', description: '' },
    set: { kind: 'list', label: 'K=V', description: '' },
    'tls-verify': { kind: 'switch', description: '' },
    display: { kind: 'optional', label: 'FILE', description: '' },
    creds: { kind: 'value', label: 'USER', aliases: ['src-creds'], description: '' },
  },
  examples: [],
  files: [],
  exitStatuses: [],
};
const defaults = {
  json: false,
  all: false,
  name: undefined,
  set: [],
  'tls-verify': undefined,
  display: undefined,
  creds: undefined,
};

describe('accepted', () => {
  test.each([
    { words: ['img'], options: {} },
    { words: ['--json', '-a', 'img'], options: { json: true, all: true } },
    { words: ['img', '--json'], options: { json: true } },
    { words: ['--name', 'a', 'img', '-n', 'b'], options: { name: 'b' } },
    { words: ['--set', 'A=1', 'img', '--set=B='], options: { set: ['A=1', 'B='] } },
    { words: ['--set=,"a": "-b"', 'img'], options: { set: [',"a": "-b"'] } },
    { words: ['--name=-x', 'img'], options: { name: '-x' } },
    { words: ['--name', '-', 'img'], options: { name: '-' } },
    { words: ['--tls-verify', 'img'], options: { 'tls-verify': true } },
    { words: ['--tls-verify=true', 'img'], options: { 'tls-verify': true } },
    { words: ['--tls-verify=false', 'img'], options: { 'tls-verify': false } },
    { words: ['--display', 'img'], options: { display: '' } },
    { words: ['--display=service', 'img'], options: { display: 'service' } },
    { words: ['--src-creds', 'u:p', 'img'], options: { creds: 'u:p' } },
    { words: ['--', 'img'], options: {} },
  ])('$words', ({ words, options }) => {
    expect(parseArguments('pull', spec, words)).toEqual({
      kind: 'input',
      input: { options: { ...defaults, ...options }, operands: { image: 'img' } },
    });
  });

  test('an operand that looks like the value of the switch before it, after --', () => {
    expect(parseArguments('pull', spec, ['--tls-verify', '--', 'false'])).toMatchObject({
      input: { options: { 'tls-verify': true }, operands: { image: 'false' } },
    });
  });

  test.each([[['--help']], [['-h']], [['-ah']], [['img', 'extra', '-h']]])('help: %p', (words) => {
    expect(parseArguments('pull', spec, words)).toEqual({ kind: 'help' });
  });
});

describe('operands', () => {
  const withOperands = (operands: CommandSpec['operands']): CommandSpec => ({ ...spec, operands });
  const image = { label: 'IMAGE', description: '' };
  const many = withOperands({ image, names: { label: 'NAME', description: '', count: 'many' } });
  const optional = withOperands({ image, target: { label: 'TARGET', description: '', count: 'optional' } });
  test.each([
    { given: many, words: ['img'], operands: { image: 'img', names: [] } },
    { given: many, words: ['img', 'a', '-a', 'b'], operands: { image: 'img', names: ['a', 'b'] } },
    { given: optional, words: ['img'], operands: { image: 'img', target: undefined } },
    { given: optional, words: ['img', 't'], operands: { image: 'img', target: 't' } },
  ])('$words', ({ given, words, operands }) => {
    expect(parseArguments('tag', given, words)).toMatchObject({ kind: 'input', input: { operands } });
  });
  test.each([
    { given: many, words: [], message: 'Too few arguments: IMAGE is missing' },
    { given: optional, words: ['img', 't', 'x'], message: "Too many arguments: 'x'" },
  ])('refused: $words', ({ given, words, message }) => {
    expect(catchError(() => parseArguments('tag', given, words))).toMatchObject({ message });
  });
});

describe('refused', () => {
  test.each([
    { words: [], message: 'Too few arguments: IMAGE is missing' },
    { words: ['a', 'b'], message: "Too many arguments: 'b'" },
    { words: ['--jsn'], message: "Unknown option '--jsn'", hint: "Did you mean '--json'?" },
    {
      words: ['--src-cred', 'u'],
      message: "Unknown option '--src-cred'",
      hint: "Did you mean '--src-creds'?",
    },
    { words: ['--frobnicate'], message: "Unknown option '--frobnicate'" },
    { words: ['--__proto__'], message: "Unknown option '--__proto__'" },
    { words: ['-x'], message: "Unknown option '-x'" },
    { words: ['-ax'], message: "Unknown option '-x'" },
    { words: ['--\u001b[31mred'], message: "Unknown option '--red'" },
    ...[
      ['--tls-verify', 'false', 'img'],
      ['img', '--tls-verify', 'false'],
    ].map((words) => ({
      words,
      message: "The value of option '--tls-verify' must follow an equals sign",
      hint: 'Write --tls-verify=false .',
    })),
    { words: ['--json=1'], message: "Option '--json' takes no value" },
    { words: ['--json='], message: "Option '--json' takes no value" },
    { words: ['--name'], message: "Option '--name' needs a value: NAME" },
    {
      words: ['--name', '--json', 'img'],
      message: "Option '--name' needs a value: NAME; '--json' looks like an option",
      hint: 'If it is meant, write --name=--json .',
    },
    {
      words: ['--tls-verify=no', 'img'],
      message: "Invalid value 'no' of option '--tls-verify': it must be true or false",
    },
  ])('$words', ({ words, message, hint }) => {
    expect(catchError(() => parseArguments('pull', spec, words))).toEqual({
      code: 'BAD_OPTION',
      message,
      hint,
    });
  });
});

/** Command lines of programs that call atomic, word for word (compatibility A-01). */
describe('callers', () => {
  const listed = {
    all: true,
    quiet: false,
    'no-trunc': false,
    filter: [],
    noheading: false,
    json: false,
    storage: undefined,
  };
  const installed = {
    name: undefined,
    start: false,
    set: [],
    'set-file': [],
    'set-any': [],
    secret: [],
    runtime: undefined,
    display: undefined,
    'keep-new': false,
    pull: false,
    replace: false,
    'no-lint': false,
    creds: undefined,
    authfile: undefined,
    'cert-dir': undefined,
    'tls-verify': undefined,
    json: false,
    system: false,
    ...Object.fromEntries(
      Object.entries(serviceOptions).map(([name, { kind }]) => [name, kind === 'list' ? [] : undefined]),
    ),
    rootfs: undefined,
    'system-package': undefined,
    storage: 'ostree',
  };
  const cases: { caller: string; spec: CommandSpec; words: string[]; options: object; operands: object }[] = [
    {
      caller: 'Ansible list',
      spec: containersList,
      words: ['--no-trunc', '-n', '--all', '-f', 'backend=ostree', '-f', 'container=etcd'],
      options: { ...listed, 'no-trunc': true, noheading: true, filter: ['backend=ostree', 'container=etcd'] },
      operands: {},
    },
    {
      caller: 'OpenShift list',
      spec: containersList,
      words: ['--json', '--all', '-f', 'container=etcd'],
      options: { ...listed, json: true, filter: ['container=etcd'] },
      operands: {},
    },
    {
      caller: 'Ansible install',
      spec: install,
      words: ['--storage=ostree', '--name=etcd', '--system', '--set=A=1', '--set=B=x=y', 'reg/etcd'],
      options: { ...installed, name: 'etcd', system: true, set: ['A=1', 'B=x=y'] },
      operands: { image: 'reg/etcd', args: [] },
    },
    {
      caller: 'OpenShift install',
      spec: install,
      words: ['--storage=ostree', '--system-package=no', '--system', '--name=etcd', 'reg/etcd'],
      options: { ...installed, name: 'etcd', system: true, 'system-package': 'no' },
      operands: { image: 'reg/etcd', args: [] },
    },
    {
      caller: 'Magnum install',
      spec: install,
      words: [
        ...['--storage', 'ostree', '--system', '--system-package', 'no', '--set', 'K=V'],
        ...[
          '--set=ADDTL_MOUNTS=',
          '--set',
          'M=,{"type":"bind"}',
          '--name',
          'kubelet',
          '10.0.0.1:5000/ns/kubelet:v1',
        ],
      ],
      options: {
        ...installed,
        name: 'kubelet',
        system: true,
        'system-package': 'no',
        set: ['K=V', 'ADDTL_MOUNTS=', 'M=,{"type":"bind"}'],
      },
      operands: { image: '10.0.0.1:5000/ns/kubelet:v1', args: [] },
    },
    {
      caller: 'Magnum pull',
      spec: pull,
      words: ['--storage', 'ostree', '10.0.0.1:5000/ns/kubelet:v1'],
      options: {
        creds: undefined,
        authfile: undefined,
        'cert-dir': undefined,
        'tls-verify': undefined,
        retry: undefined,
        quiet: false,
        json: false,
        'progress-fd': undefined,
        storage: 'ostree',
        type: undefined,
      },
      operands: { image: '10.0.0.1:5000/ns/kubelet:v1' },
    },
    {
      caller: 'Ansible uninstall',
      spec: uninstall,
      words: ['--storage=ostree', 'etcd'],
      options: {
        json: false,
        force: false,
        purge: false,
        assumeyes: false,
        name: undefined,
        storage: 'ostree',
      },
      operands: { names: ['etcd'] },
    },
  ];
  test.each(cases)('$caller', ({ spec, words, options, operands }) => {
    expect(parseArguments('verb', spec, words)).toEqual({
      kind: 'input',
      input: { options, operands } as never,
    });
  });
});

describe('words after --', () => {
  const last = { label: 'ARG', description: '', count: 'after-dashes' } as const;
  const one: CommandSpec = { ...spec, operands: { ...spec.operands, args: last } };
  const many: CommandSpec = {
    ...spec,
    operands: { names: { label: 'NAME', description: '', count: 'many' }, args: last },
  };
  test.each([
    [one, ['img'], { image: 'img', args: [] }],
    [one, ['img', '--'], { image: 'img', args: [] }],
    [one, ['img', '--', '-a', '--', 'b'], { image: 'img', args: ['-a', '--', 'b'] }],
    [one, ['--', 'img'], { image: 'img', args: [] }],
    [many, ['a', 'b', '--', 'c'], { names: ['a', 'b'], args: ['c'] }],
    [many, ['--', 'a', 'b'], { names: ['a', 'b'], args: [] }],
  ])('%#', (command, words, operands) => {
    expect(parseArguments('install', command, words)).toMatchObject({ input: { operands } });
  });
  test.each([
    [['img', 'x'], "Too many arguments: 'x'", 'Arguments of the service follow --.'],
    [['--', 'img', 'x'], "Too many arguments: 'x'", 'Arguments of the service follow --.'],
    [['--name', 'img'], 'Too few arguments: IMAGE is missing', "'img' is the value of --name."],
  ])('%j is refused', (words, message, hint) => {
    const error = catchError(() => parseArguments('install', one, words));
    expect(error?.message).toContain(message);
    expect(`${error?.message} ${error?.hint}`).toContain(hint);
  });
});
