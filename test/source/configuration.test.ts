import { afterEach, beforeEach, expect, test } from 'bun:test';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { readRegistriesConfFiles, readTrustPolicy } from '../../src/source/configuration.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';

let store: Sandbox;
let folder: string;
beforeEach(async () => {
  store = await createSandbox({
    containers: { search: ['one.example.com'], aliases: { etcd: 'one.example.com/etcd' } },
  });
  folder = `${store.host.env.HOME}/.config/containers`;
});
afterEach(() => store.remove());

function write(path: string, text: string): void {
  mkdirSync(dirname(`${folder}/${path}`), { recursive: true });
  writeFileSync(`${folder}/${path}`, text);
}

test("the person's registries.conf, and drop-ins in the order of their names", () => {
  const ours = (): unknown => {
    const { searchRegistries, aliases } = readRegistriesConfFiles(store.host);
    const { etcd, flannel } = aliases;
    return { searchRegistries, etcd, flannel };
  };
  expect(ours()).toEqual({
    searchRegistries: ['one.example.com'],
    etcd: 'one.example.com/etcd',
    flannel: undefined,
  });
  write(
    'registries.conf.d/20-b.conf',
    '[aliases]\n"etcd" = "b.example.com/etcd"\n"flannel" = "b.example.com/flannel"\n',
  );
  write(
    'registries.conf.d/10-a.conf',
    'unqualified-search-registries = ["a.example.com"]\n[aliases]\n"etcd" = "a.example.com/etcd"\n',
  );
  write('registries.conf.d/30-c.conf.disabled', 'this is not TOML');
  expect(ours()).toEqual({
    searchRegistries: ['a.example.com'],
    etcd: 'b.example.com/etcd',
    flannel: 'b.example.com/flannel',
  });
});

const malformed: [title: string, text: string, reason: string][] = [
  ['not TOML', 'unqualified-search-registries = [', 'it is not TOML'],
  [
    'a search list that is none',
    'unqualified-search-registries = "x"',
    '"unqualified-search-registries" is not a list of names',
  ],
  ['aliases that are none', 'aliases = ["x"]', '"aliases" is not a table of names'],
];

test.each(malformed)('a registries.conf with %s', (_, text, reason) => {
  write('registries.conf', text);
  expect(() => readRegistriesConfFiles(store.host)).toThrow(
    expect.objectContaining({
      code: 'SETTINGS_INVALID',
      message: `reading ${folder}/registries.conf: ${reason}`,
    }),
  );
});

test("the person's policy goes before the system's", () => {
  write('policy.json', '{"default":[{"type":"reject"}]}');
  expect(readTrustPolicy(store.host)).toEqual({ default: [{ type: 'reject' }], transports: {} });
  rmSync(`${folder}/policy.json`);
  const system = readTrustPolicy({ ...store.host, env: {} });
  expect(readTrustPolicy(store.host)).toEqual(system);
});
