/**
 * Opens the blobs of an image's layers one ahead: while a layer is stored, the source requests the next one from its registry
 * and fills the pipe.
 */
import type { Digest } from '../../image/digest.ts';
import type { BlobDescriptor } from '../../image/manifest.ts';
import type { RenewableSource } from '../../source/renewable-source.ts';
import type { ImageProxy, OpenedBlob } from '../../source/skopeo/image-proxy.ts';

interface BlobAhead {
  readonly digest: Digest;
  /** Proxy of the open blob. A renewed source has another proxy, and the blobs of the old one are lost. */
  readonly proxy: ImageProxy;
  readonly blob: Promise<OpenedBlob>;
}

export class BlobQueue implements Disposable {
  readonly #source: RenewableSource;
  readonly #layers: readonly BlobDescriptor[];
  #ahead: BlobAhead | undefined;

  /** @param layers layers that will be taken in this order; some may be left out */
  constructor(source: RenewableSource, layers: readonly BlobDescriptor[]) {
    this.#source = source;
    this.#layers = layers;
  }

  /** Opens a blob, as `ImageProxy.openBlob`. @returns the blob, not read yet */
  async take(layer: BlobDescriptor): Promise<OpenedBlob> {
    const ahead = this.#ahead;
    const isAhead = ahead?.digest === layer.digest && ahead.proxy === this.#source.proxy;
    if (!isAhead) this.#drop();
    const blob = await (isAhead ? ahead.blob : this.#open(layer));
    this.#openBehind(layer);
    return blob;
  }

  [Symbol.dispose](): void {
    this.#drop();
  }

  /** Closes the blob that was opened and not taken. */
  #drop(): void {
    // No caller needs this blob any more, so its failure is ignored.
    this.#ahead?.blob.then(({ stream }) => stream.destroy()).catch(ignore);
    this.#ahead = undefined;
  }

  #open({ digest, size }: BlobDescriptor): Promise<OpenedBlob> {
    return this.#source.proxy.openBlob(this.#source.image, digest, size);
  }

  #openBehind({ digest }: BlobDescriptor): void {
    this.#ahead = undefined;
    const index = this.#layers.findIndex((layer) => layer.digest === digest);
    const next = index < 0 ? undefined : this.#layers[index + 1];
    if (next === undefined) return;
    const blob = this.#open(next);
    // The caller that takes the blob gets the failure.
    blob.catch(ignore);
    this.#ahead = { digest: next.digest, proxy: this.#source.proxy, blob };
  }
}

function ignore(): void {}
