import { expect, test } from 'bun:test';
import { findMappedRoot, findUnitUser } from '../../../src/store/access/deployment-users.ts';

const user = { type: 'user' };
const map = (...entries: [containerID: unknown, hostID: unknown][]) =>
  entries.map(([containerID, hostID]) => ({ containerID, hostID, size: 1000 }));

const configs: [config: unknown, root: number | undefined][] = [
  [{ linux: { namespaces: [{ type: 'pid' }, user], uidMappings: map([0, 100_000]) } }, 100_000],
  [{ linux: { namespaces: [user], uidMappings: map([1, 5000], [0, 7]) } }, 7],
  [{ linux: { namespaces: [user], uidMappings: map([0, 0]) } }, undefined],
  [{ linux: { namespaces: [user], uidMappings: map([1, 100_000]) } }, undefined],
  [{ linux: { namespaces: [{ type: 'pid' }], uidMappings: map([0, 100_000]) } }, undefined],
  [{ linux: { namespaces: [user], uidMappings: map([0, -1]) } }, undefined],
  [{ linux: { namespaces: [user], uidMappings: map([0, 1.5]) } }, undefined],
  [{ linux: { namespaces: [user], uidMappings: map([0, 4_294_967_295]) } }, undefined],
  [{ linux: { namespaces: 'user', uidMappings: map([0, 100_000]) } }, undefined],
  [{ linux: { namespaces: [user, null], uidMappings: [null] } }, undefined],
  [null, undefined],
  ['', undefined],
];

test.each(configs)('%j has root as the user %p', (config, root) => {
  expect(findMappedRoot(config)).toBe(root);
});

test.each([
  ['[Service]\nExecStart=/bin/true\n', undefined],
  ['[Service]\nUser=etcd\n', 'etcd'],
  ['[Service]\n User = 1000 \n', '1000'],
  ['[Unit]\nUser=other\n[Service]\nUser=first\n[Install]\nUser=other\n[Service]\nUser=last\n', 'last'],
  ['[Service]\nUser=etcd\nUser=\n', undefined],
  ['[Service]\n#User=etcd\nUserX=etcd\n', undefined],
])('%j runs as %p', (unit, user) => {
  expect(findUnitUser(unit)).toBe(user);
});
