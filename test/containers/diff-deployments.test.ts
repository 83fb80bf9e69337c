/** Two deployments of one container, as an update leaves them, compared by their names. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { formatDiff } from '../../src/commands/roots/diff-view.ts';
import { diffRoots } from '../../src/containers/diff.ts';
import { plainRecord as record } from '../support/plain-record.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { createStore, pullLayers, TEST_TIMEOUT_MS } from '../support/store/store-fixture.ts';
import { tree } from '../support/tree.ts';
import { writeDeployment } from './fake-deployment.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

let registry: Registry;
beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(() => registry.stop());

test('the deployments of a container are compared, and the container means the active one', async () => {
  await using store = await createStore([registry]);
  const first = await pullLayers(store, registry, [tree`f etc/version 0644 1`]);
  const second = await pullLayers(store, registry, [tree`f etc/version 0644 2`, tree`f etc/new 0644 x`]);
  for (const [number, { image }] of [
    [0, first],
    [1, second],
  ] as const) {
    const deployed = { ...record, image: image.reference, revision: image.id, ostreeCommit: image.commit };
    await writeDeployment(store, 'web', { number, record: deployed });
  }
  const { before, after, changes } = await diffRoots(store.host, 'web.0', 'web.1');
  expect([before, after]).toMatchObject([
    {
      kind: 'container',
      name: 'web',
      deployment: { number: 0, isActive: false },
      commit: first.image.commit,
    },
    {
      kind: 'container',
      name: 'web',
      deployment: { number: 1, isActive: true },
      commit: second.image.commit,
    },
  ]);
  expect(formatDiff(changes)).toBe(
    'A /etc/new\nC /etc/version  (content)\n\n1 added, 0 removed, 1 changed\n',
  );
  expect((await diffRoots(store.host, 'web', 'web.1')).changes).toEqual([]);
});
