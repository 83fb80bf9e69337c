import { expect, test } from 'bun:test';
import {
  changeOptions,
  formatOptions,
  type OptionChange,
  type ServiceOptions,
} from '../../../../src/containers/render/options/service-options.ts';
import { catchError } from '../../../support/thrown-error.ts';

const before: ServiceOptions = {
  volume: ['/a:/data', '/b:/logs:ro'],
  env: ['A=1', 'B=2'],
  'cap-add': ['NET_ADMIN'],
  memory: ['64m'],
  args: ['-v'],
};

test.each<[string, Partial<OptionChange>, ServiceOptions]>([
  ['nothing', {}, before],
  ['a variable', { set: { env: ['A=3', 'C=4'] } }, { ...before, env: ['B=2', 'A=3', 'C=4'] }],
  ['the last of equal variables', { set: { env: ['A=3', 'A=4'] } }, { ...before, env: ['B=2', 'A=4'] }],
  ['a volume', { set: { volume: ['/c:/data/'] } }, { ...before, volume: ['/b:/logs:ro', '/c:/data/'] }],
  ['a capability', { set: { 'cap-add': ['cap_net_admin'] } }, { ...before, 'cap-add': ['cap_net_admin'] }],
  ['a value', { set: { memory: ['1g'], cpus: ['2'] } }, { ...before, memory: ['1g'], cpus: ['2'] }],
  ['the arguments', { set: { args: ['x', 'x'] } }, { ...before, args: ['x', 'x'] }],
  [
    'less',
    { reset: ['volume=/logs', '--env'] },
    { ...before, volume: ['/a:/data'], env: undefined } as ServiceOptions,
  ],
  ['a list anew', { reset: ['env=A'], set: { env: ['A=9'] } }, { ...before, env: ['B=2', 'A=9'] }],
])('an update can change %s', (_, change, after) => {
  expect(changeOptions(before, { set: {}, reset: [], ...change })).toEqual(after);
});

test.each<[string, Partial<OptionChange>, string, string]>([
  [
    'an option without a value',
    { reset: ['cpus'] },
    '--reset cpus: the container has no such option',
    'It has volume, env, cap-add, memory, args.',
  ],
  [
    'an unknown option',
    { reset: ['colour'] },
    '--reset colour: the container has no such option',
    'It has volume, env, cap-add, memory, args.',
  ],
  ['an unknown key', { reset: ['env=C'] }, '--reset env=C: the container has no such --env', 'It has A, B.'],
  [
    'what is set',
    { reset: ['memory'], set: { memory: ['1g'] } },
    '--reset memory and --memory exclude each other',
    'Use one of them.',
  ],
  [
    'a destination twice',
    { set: { volume: ['/x:/y', '/z:/y'] } },
    "--volume names /y twice: '/x:/y' and '/z:/y'",
    'Leave one of them out.',
  ],
])('an update cannot change %s', (_, change, message, hint) => {
  const error = catchError(() => changeOptions(before, { set: {}, reset: [], ...change }));
  expect(error).toEqual({ code: 'BAD_VALUE', message, hint });
});

test('options are shown as they are typed', () => {
  expect(formatOptions(before)).toEqual([
    '--volume /a:/data',
    '--volume /b:/logs:ro',
    '--env A=1',
    '--env B=2',
    '--cap-add NET_ADMIN',
    '--memory 64m',
    '-- -v',
  ]);
});
