/** Layers as files, for images that should not be in memory as a whole. */
import { createHash, type Hash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { type BuiltImage, buildImage } from '../test/support/oci-image.ts';
import { pushImage, type RegistryAddress } from '../test/support/registry-push.ts';
import { type TarEntry, tarChunks } from '../test/support/tar-writer.ts';

export interface LayerFile {
  readonly path: string;
  readonly digest: string;
  readonly diffId: string;
  readonly bytes: number;
}

/** @param level of gzip, 1 (fast) to 9 */
export async function writeLayerFile(
  path: string,
  entries: Iterable<TarEntry>,
  level: number,
): Promise<LayerFile> {
  const inflated = createHash('sha256');
  const compressed = createHash('sha256');
  const file = createWriteStream(path);
  const archive = Readable.from(tarChunks(entries), { objectMode: false });
  await pipeline(archive, digestInto(inflated), createGzip({ level }), digestInto(compressed), file);
  return {
    path,
    digest: `sha256:${compressed.digest('hex')}`,
    diffId: `sha256:${inflated.digest('hex')}`,
    bytes: file.bytesWritten,
  };
}

/** Pushes an image of these layers, base first; layers that the repository has are not sent again. */
export async function pushLayers(
  registry: RegistryAddress,
  repository: string,
  tag: string,
  layers: readonly LayerFile[],
): Promise<string> {
  for (const layer of layers) await pushLayerFile(registry, repository, layer);
  return pushImage(registry, repository, describeImage(layers), tag);
}

/** The blobs are in the registry: their place in the image is empty. */
function describeImage(layers: readonly LayerFile[]): BuiltImage {
  return buildImage({
    config: { Cmd: ['/usr/bin/service'] },
    layers: layers.map(({ digest, diffId, bytes }) => ({
      tar: [],
      data: new Uint8Array(),
      diffId,
      claim: { digest, size: bytes },
    })),
  });
}

async function pushLayerFile(registry: RegistryAddress, repository: string, layer: LayerFile): Promise<void> {
  const blobs = `http://${registry.address}/v2/${repository}/blobs`;
  const known = await fetch(`${blobs}/${layer.digest}`, { method: 'HEAD' });
  if (known.ok) return;
  const upload = await fetch(`${blobs}/uploads/`, { method: 'POST' });
  const location = new URL(upload.headers.get('location') ?? '', blobs);
  location.searchParams.set('digest', layer.digest);
  // Bun streams a file as a body; Node's fetch would need it in memory to know its length.
  const sent = await fetch(location, { method: 'PUT', body: Bun.file(layer.path) });
  if (!sent.ok) throw new Error(`pushing ${layer.digest}: ${sent.status} ${await sent.text()}`);
}

function digestInto(hash: Hash): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
}
