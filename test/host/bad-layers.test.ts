/** Layers that arrive damaged, late or not at all: the error names image and layer, and no part of them is stored. */
import { afterAll, beforeAll, describe, test } from 'bun:test';
import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { atomic } from '../support/atomic.ts';
import { writeHostContainersConfig } from '../support/containers-config.ts';
import { type Fault, type FaultyRegistry, startFaultyRegistry } from '../support/faulty-registry.ts';
import { type BuiltImage, buildImage } from '../support/oci-image.ts';
import type { Registry } from '../support/registry.ts';
import { pushImage } from '../support/registry-push.ts';
import { buildTar } from '../support/tar-writer.ts';
import { tree } from '../support/tree.ts';
import { openImageSource } from './container-images.ts';
import { expectRefusal, type Line } from './support/refusal.ts';

const unreachableHint =
  'hint: Check that the registry is running and can be reached, then pull again; complete layers are kept.';
const changedHint =
  'hint: The data was changed in the registry or file, or on the way. Nothing of this layer was stored.';

let registry: Registry;
let faulty: FaultyRegistry;
/** One layer of half a megabyte, not in the store. */
let big: BuiltImage;

beforeAll(async () => {
  const images = await openImageSource();
  registry = images.registry;
  faulty = await startFaultyRegistry(registry);
  await writeHostContainersConfig({ insecure: [registry.address, faulty.address] });
  big = buildImage({ layers: [tree`f blob 0644 ${randomBytes(400_000).toString('base64')}`] });
  await pushImage(registry, 'test/big', big);
  // Makes the folders of the store, which stay.
  await atomic(['pull', await images.push('first', { exports: undefined })]);
});
afterAll(() => Promise.all([faulty.stop(), registry.stop()]));

describe('layers that are changed on the way', () => {
  /** For every fault, the error names the image and the layer. */
  async function expectBadLayer(image: string, digest: string, error: RegExp, hint: Line): Promise<void> {
    await expectRefusal(['atomic', 'pull', '--retry=0', image], {
      stdout: [
        `Image ${image} is being pulled to ostree ...`,
        `Pulling layer ${digest.replace('sha256:', '')}`,
      ],
      stderr: [new RegExp(`^error: pulling ${image}: layer ${digest}: ${error.source}$`), hint],
    });
  }

  test.each<[string, Fault, RegExp, Line]>([
    ['a lost connection', { kind: 'cut', afterBytes: 100_000 }, /.*unexpected EOF/, unreachableHint],
    [
      'an error of the registry',
      { kind: 'answer', status: 500 },
      /.*the registry answers 500/,
      'hint: The registry has an internal error: look at its log, then pull again.',
    ],
    [
      'other bytes than the digest says',
      { kind: 'change', body: () => gzipSync(Buffer.alloc(2048)) },
      /corrupted blob, expecting sha256:[0-9a-f]{64}/,
      changedHint,
    ],
    [
      'fewer bytes than the digest says',
      { kind: 'change', body: (honest) => honest.subarray(0, 100_000) },
      /corrupted blob, expecting sha256:[0-9a-f]{64}/,
      changedHint,
    ],
  ])('%s', async (_, fault, error, hint) => {
    const digest = big.layers[0]?.digest ?? '';
    faulty.setRules([{ path: `/blobs/${digest}`, fault }]);
    await expectBadLayer(`${faulty.address}/test/big`, digest, error, hint);
  });

  test('a registry that ends in the middle of a layer', async () => {
    const digest = big.layers[0]?.digest ?? '';
    const dying = await startFaultyRegistry(registry);
    const never = new Promise<void>(() => {});
    const fault: Fault = {
      kind: 'hold',
      afterBytes: 100_000,
      until: never,
      reached: () => void dying.stop(),
    };
    dying.setRules([{ path: `/blobs/${digest}`, fault }]);
    await writeHostContainersConfig({ insecure: [registry.address, faulty.address, dying.address] });
    await expectBadLayer(
      `${dying.address}/test/big`,
      digest,
      /.*(?:unexpected EOF|connection re.*)/,
      unreachableHint,
    );
  });

  test.each<[string, Buffer, RegExp]>([
    [
      'a truncated gzip stream',
      gzipSync(buildTar(tree`f x 0644 ${randomBytes(50_000)}`)).subarray(0, 20_000),
      /inflating: unexpected end of file/,
    ],
    ['garbage', Buffer.alloc(1000, 'garbage'), /inflating: incorrect header check/],
    [
      'an archive that is none',
      gzipSync('hello\n'.repeat(500)),
      /reading the layer's archive: no tar header at byte 0/,
    ],
  ])('%s, under an honest digest', async (title, data, error) => {
    // What it should have inflated to is nowhere in the store: else it would not be fetched.
    const image = buildImage({ layers: [{ tar: tree`f x 0644 ${title}`, data }] });
    const name = await pushImage(registry, 'test/damaged', image);
    await expectBadLayer(
      name,
      image.layers[0]?.digest ?? '',
      error,
      /^hint: .*[Bb]uild and push the image again/,
    );
  });

  test('after all of that the image can be pulled', async () => {
    faulty.setRules([]);
    await atomic(['pull', `${faulty.address}/test/big`]);
  });
});
