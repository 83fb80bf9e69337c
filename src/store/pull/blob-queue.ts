/**
 * Opens the blobs of an image's layers one ahead: while a layer is being stored, the source asks its registry for the next
 * one and fills the pipe.
 */
import type { BlobDescriptor } from '../../image/manifest.ts';
import type { RenewableSource } from '../../source/renewable-source.ts';
import type { ImageProxy, OpenedBlob } from '../../source/skopeo/image-proxy.ts';

interface BlobAhead {
  readonly digest: string;
  /** A source that was renewed has another one, and what the old one has opened is lost. */
  readonly proxy: ImageProxy;
  readonly blob: Promise<OpenedBlob>;
}

export class BlobQueue implements Disposable {
  readonly #source: RenewableSource;
  readonly #layers: readonly BlobDescriptor[];
  #ahead: BlobAhead | undefined;

  /** @param layers that will be taken, probably all, in this order */
  constructor(source: RenewableSource, layers: readonly BlobDescriptor[]) {
    this.#source = source;
    this.#layers = layers;
  }

  /** @returns the blob, unread; as `ImageProxy.openBlob` */
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

  /** Closes what was opened and not taken. */
  #drop(): void {
    // Its failure is nobody's any more.
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
    // Whoever takes it hears of it.
    blob.catch(ignore);
    this.#ahead = { digest: next.digest, proxy: this.#source.proxy, blob };
  }
}

function ignore(): void {}
