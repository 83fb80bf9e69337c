import { expect, test } from 'bun:test';
import {
  emptyRegistriesConf,
  findAlias,
  listCandidates,
  mergeRegistriesConf,
  type RegistriesConf,
  readRegistriesConf,
} from '../../../src/source/trust/registries-conf.ts';

const reject = (problem: string): Error => new Error(problem);

test('reads what names images and leaves the rest', () => {
  const document = Bun.TOML.parse(`
    unqualified-search-registries = ["quay.io", "docker.io"]
    short-name-mode = "enforcing"
    [aliases]
    fedora = "registry.fedoraproject.org/fedora"
    [[registry]]
    location = "internal.example.com"
    insecure = true
  `);
  expect(readRegistriesConf(document, reject)).toEqual({
    searchRegistries: ['quay.io', 'docker.io'],
    aliases: { fedora: 'registry.fedoraproject.org/fedora' },
  });
});

test('a file without names is valid', () => {
  expect(readRegistriesConf({}, reject)).toEqual({});
});

test.each<[string, unknown, string]>([
  ['a list', [], 'it is not a table'],
  [
    'a text as search list',
    { 'unqualified-search-registries': 'docker.io' },
    '"unqualified-search-registries" is not a list of names',
  ],
  [
    'a number in the search list',
    { 'unqualified-search-registries': [1] },
    '"unqualified-search-registries" is not a list of names',
  ],
  ['a list of aliases', { aliases: ['a'] }, '"aliases" is not a table of names'],
  ['an alias that is a table', { aliases: { a: {} } }, '"aliases" is not a table of names'],
])('refuses %s', (_, document, problem) => {
  expect(() => readRegistriesConf(document, reject)).toThrow(new Error(problem));
});

test.each<[string, Partial<RegistriesConf>, RegistriesConf]>([
  ['nothing', {}, { searchRegistries: ['a.io'], aliases: { x: 'a.io/x', y: 'a.io/y' } }],
  [
    'another search list',
    { searchRegistries: ['b.io'] },
    { searchRegistries: ['b.io'], aliases: { x: 'a.io/x', y: 'a.io/y' } },
  ],
  [
    'an empty search list',
    { searchRegistries: [] },
    { searchRegistries: [], aliases: { x: 'a.io/x', y: 'a.io/y' } },
  ],
  [
    'more aliases',
    { aliases: { y: 'b.io/y', z: 'b.io/z' } },
    { searchRegistries: ['a.io'], aliases: { x: 'a.io/x', y: 'b.io/y', z: 'b.io/z' } },
  ],
])('a later file with %s', (_, later, merged) => {
  const first = { searchRegistries: ['a.io'], aliases: { x: 'a.io/x', y: 'a.io/y' } };
  expect(mergeRegistriesConf(first, later)).toEqual(merged);
});

test.each<[string, RegistriesConf, string, string[]]>([
  ['nothing configured', emptyRegistriesConf, 'etcd', ['docker.io/library/etcd']],
  ['nothing configured, a name with a slash', emptyRegistriesConf, 'team/etcd', ['docker.io/team/etcd']],
  [
    'a search list',
    { searchRegistries: ['a.io', 'docker.io', 'b.io:5000'], aliases: {} },
    'etcd',
    ['a.io/etcd', 'docker.io/library/etcd', 'b.io:5000/etcd'],
  ],
  [
    'an alias',
    { searchRegistries: ['a.io'], aliases: { etcd: 'b.io/team/etcd' } },
    'etcd',
    ['b.io/team/etcd'],
  ],
  [
    'the alias of another name',
    { searchRegistries: ['a.io'], aliases: { etc: 'b.io/etc' } },
    'etcd',
    ['a.io/etcd'],
  ],
  [
    'an alias that was taken back',
    { searchRegistries: ['a.io'], aliases: { etcd: '' } },
    'etcd',
    ['a.io/etcd'],
  ],
  [
    'a name that every object has',
    { searchRegistries: ['a.io'], aliases: {} },
    'constructor',
    ['a.io/constructor'],
  ],
])('candidates with %s', (_, conf, name, candidates) => {
  expect(listCandidates(conf, name)).toEqual(candidates);
});

test('finds an alias only where there is one', () => {
  const conf: RegistriesConf = { searchRegistries: [], aliases: { a: 'x.io/a', b: '' } };
  expect(['a', 'b', 'c', 'constructor'].map((name) => findAlias(conf, name))).toEqual([
    'x.io/a',
    undefined,
    undefined,
    undefined,
  ]);
});
