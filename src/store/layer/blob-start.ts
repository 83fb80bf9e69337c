/**
 * Keeps the first bytes of a layer's blob, of which the store keeps nothing else. The header shows which program wrote the
 * blob, and the first block shows whether a compressor produces the same bytes (see `compress-layer.ts`).
 */

/** Longer than the table of codes of the first block, which depends on the whole block. */
const START_BYTES = 512;

export class BlobStart {
  #bytes: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): void {
    if (this.#bytes.length >= START_BYTES) return;
    this.#bytes = Buffer.concat([this.#bytes, chunk.subarray(0, START_BYTES - this.#bytes.length)]);
  }

  /** @returns the bytes for the metadata of the layer's commit */
  toBase64(): string {
    return this.#bytes.toString('base64');
  }
}
