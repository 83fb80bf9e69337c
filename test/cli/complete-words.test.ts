import { describe, expect, test } from 'bun:test';
import type { CommandSpec } from '../../src/cli/arguments/command-spec.ts';
import { completeArgument, completeVerb } from '../../src/cli/completion/complete-words.ts';
import { formatCandidates } from '../../src/cli/completion/format-candidates.ts';

const verbs = [
  { path: 'pull', summary: 'Fetch an image. And more.' },
  { path: 'images list', summary: 'List the images.' },
  { path: 'images info', summary: 'Show an image.', aliases: ['info'] },
  { path: 'install', summary: 'Install an image.' },
];

const spec: CommandSpec = {
  description: [''],
  operands: {
    image: { label: 'IMAGE', values: ['source'], description: '' },
    names: { label: 'NAME', count: 'many', description: '' },
    args: { label: 'ARG', count: 'after-dashes', description: '' },
  },
  options: {
    name: {
      kind: 'value',
      short: 'n',
      label: 'NAME',
      values: [],
      description: 'Name of it. By default none.',
    },
    set: { kind: 'list', label: 'NAME=VALUE', description: 'Set it.' },
    authfile: { kind: 'value', label: 'PATH', description: 'Credentials.' },
    network: { kind: 'value', label: 'host|none', description: 'Network.' },
    'tls-verify': { kind: 'switch', description: 'Whether.' },
    quiet: { kind: 'flag', short: 'q', description: 'Less.' },
    system: { kind: 'flag', isCompatibility: true, description: 'No effect.' },
  },
  examples: [],
  files: [],
  exitStatuses: [],
};

function texts(completion: ReturnType<typeof completeArgument> | ReturnType<typeof completeVerb>): unknown {
  if (completion.kind === 'candidates') return completion.candidates.map(({ text }) => text);
  return completion;
}

describe('a verb', () => {
  const first = ['pull', 'images', 'install', 'help'];

  test.each([
    { words: [], found: first },
    { words: [''], found: first },
    { words: ['im'], found: first },
    { words: ['--debug', ''], found: first },
    { words: ['-'], found: ['--assumeyes', '--debug', '--version', '--help'] },
    { words: ['images', ''], found: ['list', 'info'] },
    { words: ['image', 'l'], found: ['list', 'info'] },
    { words: ['help', ''], found: [...first, 'exit-status', 'files'] },
    { words: ['help', 'images', ''], found: ['list', 'info'] },
    { words: ['help', 'pull', ''], found: [] },
    { words: ['help', 'images', 'list', ''], found: [] },
    { words: ['frobnicate', ''], found: [] },
    { words: ['images', 'frobnicate', ''], found: [] },
  ])('$words', ({ words, found }) => {
    expect(texts(completeVerb(words, verbs))).toEqual(found);
  });

  test.each([
    { words: ['pull', ''], path: 'pull', rest: [''] },
    { words: ['-y', 'pull', '--name', 'x'], path: 'pull', rest: ['--name', 'x'] },
    { words: ['images', 'list', '-'], path: 'images list', rest: ['-'] },
    { words: ['info', 'etcd', ''], path: 'images info', rest: ['etcd', ''] },
  ])('is found in $words', ({ words, path, rest }) => {
    expect(completeVerb(words, verbs)).toMatchObject({ kind: 'verb', verb: { path }, rest });
  });

  test('is described by the first sentence of its summary, a group by its verbs', () => {
    expect(completeVerb([''], verbs)).toMatchObject({
      candidates: [
        { text: 'pull', description: 'Fetch an image' },
        { text: 'images', description: 'list, info' },
        {},
        {},
      ],
    });
  });
});

describe('an option', () => {
  const all = ['--name', '--set', '--authfile', '--network', '--tls-verify', '--quiet', '--help'];

  test.each([
    { words: ['--'], found: all },
    { words: ['etcd', '-'], found: all },
    { words: ['--s'], found: [...all.slice(0, -1), '--system', '--help'] },
    {
      words: ['-q', '--name=x', '--set', 'A=1', '-'],
      found: ['--set', '--authfile', '--network', '--tls-verify', '--help'],
    },
  ])('after $words', ({ words, found }) => {
    expect(texts(completeArgument(spec, words))).toEqual(found);
  });
});

describe('a value', () => {
  const file = { kinds: ['file'], choices: [] };
  const network = { kinds: [], choices: ['host', 'none'] };
  const image = { kinds: ['source'], choices: [] };
  const container = { kinds: ['container'], choices: [] };

  test.each([
    { words: ['--authfile', '/e'], found: { values: file, prefix: '', value: '/e' } },
    { words: ['--authfile=/e'], found: { values: file, prefix: '--authfile=', value: '/e' } },
    { words: ['--network', ''], found: { values: network, prefix: '', value: '' } },
    { words: ['--network='], found: { values: network, prefix: '--network=', value: '' } },
    { words: ['--tls-verify=f'], found: { values: { kinds: [], choices: ['true', 'false'] }, value: 'f' } },
    { words: ['--set', '-'], found: { values: { kinds: [], choices: [] }, value: '-' } },
    { words: ['--set=A=b=c'], found: { prefix: '--set=', value: 'A=b=c' } },
    { words: ['-n', ''], found: { values: { kinds: [] } } },
    { words: ['--tls-verify', ''], found: { values: image } },
    { words: [''], found: { values: image, value: '', given: [] } },
    { words: ['--network', 'none', 'ima'], found: { values: image, value: 'ima', given: [] } },
    { words: ['a', ''], found: { values: container, given: ['a'] } },
    { words: ['a', '-q', 'b', 'c', ''], found: { values: container, given: ['a', 'b', 'c'] } },
    { words: ['--', '-x'], found: { values: image, value: '-x' } },
  ])('after $words', ({ words, found }) => {
    expect(completeArgument(spec, words)).toMatchObject({ kind: 'values', ...found });
  });

  test('after -- is an argument of the service, of which nothing is known', () => {
    expect(completeArgument(spec, ['a', '--', '--'])).toEqual({ kind: 'candidates', candidates: [] });
  });

  test('of an option that there is not', () => {
    expect(completeArgument(spec, ['--frobnicate='])).toEqual({ kind: 'candidates', candidates: [] });
  });

  test('that no operand is left for: the options', () => {
    const { operands: _, ...others } = spec;
    expect(texts(completeArgument({ ...others, operands: {} }, ['']))).toContain('--quiet');
    expect(texts(completeArgument({ ...others, operands: {} }, ['x']))).toEqual([]);
  });
});

test('a line for each candidate; a text that would be two lines is left out', () => {
  const candidates = [
    { text: 'pull', description: 'Fetch' },
    { text: 'x\nrm', description: '' },
    { text: 'x\u202e', description: '' },
    { text: '資料:1', description: '' },
  ];
  expect(formatCandidates(candidates, { kind: 'files', after: '--to=oci:' })).toBe(
    'pull\tFetch\n資料:1\n:files --to=oci:\n',
  );
});
