/** The same images, unpacked by podman and by us, are the same trees. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import fc from 'fast-check';
import { pullImage } from '../../src/store/pull/pull.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { describeTree } from './describe-tree.ts';
import { checkRepository } from './ostree-cli.ts';
import { extractWithPodman } from './podman-roots.ts';
import { randomLayers } from './random-layers.ts';
import { checkOut, createStore, pushNew, TEST_TIMEOUT_MS } from './store-fixture.ts';

setDefaultTimeout(3 * TEST_TIMEOUT_MS);

const IMAGES = 12;
/** Fixed, so that a failure can be repeated; try others when the merge changes. */
const SEED = Number(process.env.TEST_SEED ?? 20160912);

let registry: Registry;
beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(() => registry.stop());

test(`${IMAGES} random images (TEST_SEED=${SEED})`, async () => {
  await using store = await createStore([registry]);
  const images = fc.sample(randomLayers, { numRuns: IMAGES, seed: SEED });
  const names: string[] = [];
  for (const layers of images) names.push(await pushNew(registry, { layers }));
  const expected = extractWithPodman(store.folder.join('podman'), names, store.host.env);
  for (const [index, name] of names.entries()) {
    const root = await checkOut(store, await pullImage(store.host, name, {}));
    const layers = images[index];
    const podman = describeTree(expected[index] ?? '').filter(isBelowRoot);
    expect({ layers, tree: describeTree(root).filter(isBelowRoot) }).toEqual({ layers, tree: podman });
  }
  checkRepository(store);
});

/** podman gives the root itself a mode of its own. */
function isBelowRoot(line: string): boolean {
  return !line.startsWith('d . ');
}
