/** A source that can be opened again during a pull, when its connection or its image proxy is lost. */
import { AtomicError } from '../base/errors.ts';
import type { ImageSource } from './image-source.ts';

export interface RenewableSource extends ImageSource {
  /**
   * Opens the same image again and replaces `proxy` and `image`. May be called again after a failure.
   *
   * @throws AtomicError TRANSFER_FAILED when the name leads to another image now; errors of opening
   */
  renew(): Promise<void>;
}

/** @param open opens the source, each time anew */
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
        hint: 'The image was changed in the registry meanwhile; pull again, complete layers are kept.',
      });
    },
    close: () => current.close(),
  };
}
