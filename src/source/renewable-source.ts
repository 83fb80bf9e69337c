/** A source that can be opened again in the middle of a pull, because its connection or its image proxy is lost. */
import { AtomicError } from '../base/errors.ts';
import type { ImageSource } from './image-source.ts';

export interface RenewableSource extends ImageSource {
  /**
   * Replaces `proxy` and `image` by new ones of the same image.
   *
   * @throws AtomicError TRANSFER_FAILED when the name leads to another image now, and what opening throws; may be
   * called again then
   */
  renew(): Promise<void>;
}

/** @param open opens the source anew every time */
export async function openRenewableSource(open: () => Promise<ImageSource>): Promise<RenewableSource> {
  let current = await open();
  const { location, digest, manifest, signatures } = current;
  return {
    location,
    digest,
    manifest,
    signatures,
    get proxy() {
      return current.proxy;
    },
    get image() {
      return current.image;
    },
    async renew() {
      await current.close();
      current = await open();
      if (current.digest === digest) return;
      throw new AtomicError('TRANSFER_FAILED', `opening ${location} again: it is another image now`, {
        hint: 'The image changed in the registry just now; pull again, complete layers are kept.',
      });
    },
    close: () => current.close(),
  };
}
