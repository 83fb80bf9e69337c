/** A store in a sandbox, images in a real registry, and the way between them. */

import type { PulledImage } from '../../../src/image/image.ts';
import { checkoutImage } from '../../../src/store/checkout/checkout.ts';
import { pullImage } from '../../../src/store/pull/pull.ts';
import { buildImage, type ImageInput } from '../oci-image.ts';
import { pushImage, type RegistryAddress } from '../registry-push.ts';
import { createSandbox, type Sandbox, type SandboxOptions } from '../sandbox.ts';

/** Time for one test: a pull takes a fraction of a second, and much more on a machine that is busy otherwise. */
export const TEST_TIMEOUT_MS = 60_000;

/** An empty store that may talk plain HTTP to these registries. */
export function createStore(
  registries: readonly RegistryAddress[],
  options: SandboxOptions = {},
): Promise<Sandbox> {
  const insecure = registries.map(({ address }) => address);
  return createSandbox({ ...options, containers: { insecure, ...options.containers } });
}

let pushed = 0;

/** Pushes an image under a name of its own; returns the reference to pull. */
export function pushNew(registry: RegistryAddress, input: ImageInput): Promise<string> {
  pushed += 1;
  // In the order of their names, however many there are.
  return pushImage(registry, `test/image-${String(pushed).padStart(4, '0')}`, buildImage(input));
}

/** Pushes and pulls an image that is made of these layers. */
export async function pullLayers(
  store: Sandbox,
  registry: RegistryAddress,
  layers: ImageInput['layers'],
): Promise<PulledImage> {
  return pullImage(store.host, await pushNew(registry, { layers }), {});
}

/** Checks an image out below the sandbox; returns the path of its root filesystem. */
export async function checkOut(store: Sandbox, { image }: Pick<PulledImage, 'image'>): Promise<string> {
  const destination = store.folder.join(`checkout-${image.commit}`);
  await checkoutImage(store.host, image.commit, destination);
  return destination;
}
