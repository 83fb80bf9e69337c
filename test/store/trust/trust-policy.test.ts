/**
 * An image that policy.json rejects is not fetched, with any version of skopeo (1.9 ignores the policy in its proxy).
 */
import { afterAll, beforeAll, beforeEach, expect, setDefaultTimeout, test } from 'bun:test';
import { rmSync, writeFileSync } from 'node:fs';
import { pullImage } from '../../../src/store/pull/pull.ts';
import { buildImage } from '../../support/oci-image.ts';
import { type Registry, startRegistry } from '../../support/registry.ts';
import { pushImage } from '../../support/registry-push.ts';
import { createSandbox, type Sandbox } from '../../support/sandbox.ts';
import { failedPull } from '../../support/store/failed-pull.ts';
import { pullInProcess } from '../../support/store/pull-in-process.ts';
import { TEST_TIMEOUT_MS } from '../../support/store/store-fixture.ts';
import { tree } from '../../support/tree.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

const POLICY_HINT = 'See /etc/containers/policy.json and containers-policy.json(5).';
const REPOSITORY = 'team/group/etcd';
const image = buildImage({ layers: [tree`f etc/name 0644 etcd`] });
const reject = [{ type: 'reject' }];
const accept = [{ type: 'insecureAcceptAnything' }];

let registry: Registry;
let name: string;
beforeAll(async () => {
  registry = await startRegistry();
  name = await pushImage(registry, REPOSITORY, image, '3.4');
});
afterAll(() => registry.stop());
beforeEach(() => registry.forgetRequests());

interface Policy {
  readonly default: unknown;
  /** Scopes of the transport `docker`; REGISTRY stands for the address. */
  readonly docker?: Readonly<Record<string, unknown>>;
}

function createTrusting({ default: fallback, docker = {} }: Policy): Promise<Sandbox> {
  const scopes = Object.entries(docker).map(([scope, list]) => [
    scope.replace('REGISTRY', registry.address),
    list,
  ]);
  const policy = { default: fallback, transports: { docker: Object.fromEntries(scopes) } };
  const aliases = { short: `${registry.address}/${REPOSITORY}` };
  return createSandbox({ containers: { insecure: [registry.address], aliases, policy } });
}

const rejecting: [title: string, policy: Policy, scope: string][] = [
  ['by default', { default: reject }, 'default'],
  ['by the transport', { default: accept, docker: { '': reject } }, 'docker'],
  ['by the registry', { default: accept, docker: { REGISTRY: reject } }, 'REGISTRY'],
  [
    'by the namespace',
    { default: accept, docker: { 'REGISTRY/team': reject, REGISTRY: accept } },
    'REGISTRY/team',
  ],
  [
    'by the repository',
    { default: accept, docker: { [`REGISTRY/${REPOSITORY}`]: reject } },
    `REGISTRY/${REPOSITORY}`,
  ],
  [
    'by the exact name',
    { default: accept, docker: { [`REGISTRY/${REPOSITORY}:3.4`]: reject, 'REGISTRY/team': accept } },
    `REGISTRY/${REPOSITORY}:3.4`,
  ],
  ['beside a requirement that accepts', { default: [...accept, ...reject] }, 'default'],
];

test.each(rejecting)('rejected %s, before the registry is asked', async (_, policy, scope) => {
  await using store = await createTrusting(policy);
  const rejection = {
    code: 'POLICY_REJECTED' as const,
    message: `opening ${name}: the trust policy rejects it (scope "${scope.replace('REGISTRY', registry.address)}")`,
    hint: POLICY_HINT,
  };
  expect(await failedPull(store, name)).toEqual(rejection);
  expect(await failedPull(store, 'short:3.4')).toEqual(rejection);
  expect(await registry.requests()).toEqual([]);
});

const accepting: [title: string, policy: Policy][] = [
  ['the registry', { default: reject, docker: { REGISTRY: accept } }],
  ['the namespace', { default: reject, docker: { REGISTRY: reject, 'REGISTRY/team/group': accept } }],
  [
    'the exact name',
    { default: reject, docker: { 'REGISTRY/team': reject, [`REGISTRY/${REPOSITORY}:3.4`]: accept } },
  ],
];

test.each(accepting)('accepted by %s when everything else is rejected', async (_, policy) => {
  await using store = await createTrusting(policy);
  expect((await pullImage(store.host, name, {})).image.reference).toBe(name);
});

test('the exact name of one tag does not cover another', async () => {
  await pushImage(registry, REPOSITORY, image, 'other');
  await using store = await createTrusting({
    default: reject,
    docker: { [`REGISTRY/${REPOSITORY}:3.4`]: accept },
  });
  const other = `${registry.address}/${REPOSITORY}`;
  expect((await failedPull(store, `${other}:other`)).code).toBe('POLICY_REJECTED');
  expect((await failedPull(store, `${other}@${image.manifest.digest}`)).code).toBe('POLICY_REJECTED');
});

const malformed: [title: string, text: string, reason: string][] = [
  ['a list', '[]', 'it is not an object'],
  ['without default', '{}', '"default" is not a list of requirements'],
  ['with an empty default', '{"default":[]}', '"default" is not a list of requirements'],
  ['with a requirement without type', '{"default":[{}]}', 'a requirement of "default" has no type'],
];

test.each(malformed)('a policy that is %s trusts nothing', async (_, text, reason) => {
  await using store = await createTrusting({ default: accept });
  const path = `${store.host.env.HOME}/.config/containers/policy.json`;
  writeFileSync(path, text);
  const { code, message } = await failedPull(store, name);
  expect({ code, message }).toEqual({
    code: 'SETTINGS_INVALID',
    message: `reading the trust policy ${path}: ${reason}`,
  });
  expect(await registry.requests()).toEqual([]);
});

test('a policy that is not JSON trusts nothing', async () => {
  await using store = await createTrusting({ default: accept });
  const path = `${store.host.env.HOME}/.config/containers/policy.json`;
  writeFileSync(path, '{');
  expect((await failedPull(store, name)).code).toBe('SETTINGS_INVALID');
});

test('without a policy nothing is trusted', async () => {
  await using store = await createTrusting({ default: accept });
  rmSync(`${store.host.env.HOME}/.config/containers/policy.json`);
  const wrapper = [
    'unshare',
    '--mount',
    'sh',
    '-euc',
    'mount -t tmpfs tmpfs /etc/containers; exec "$@"',
    'sh',
  ];
  expect(await pullInProcess(store, name, { wrapper })).toEqual({
    kind: 'failed',
    code: 'SETTINGS_INVALID',
    message: `pulling ${name}: reading the trust policy /etc/containers/policy.json: no such file`,
    hint: 'Install it: apt install golang-github-containers-common (Debian), dnf install containers-common (Fedora).',
  });
  expect(await registry.requests()).toEqual([]);
});
