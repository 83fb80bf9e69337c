/**
 * Remembers how a layer's blob begins. A compressed blob is not kept; its header says which program wrote it, and its
 * first block tells at once whether a compressor makes the same bytes (see `compress-layer.ts`).
 */

/** Beyond the table of codes of the first block, which all of the block takes part in. */
const START_BYTES = 512;

export class BlobStart {
  #bytes: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): void {
    if (this.#bytes.length >= START_BYTES) return;
    this.#bytes = Buffer.concat([this.#bytes, chunk.subarray(0, START_BYTES - this.#bytes.length)]);
  }

  /** For the metadata of the layer's commit. */
  toBase64(): string {
    return this.#bytes.toString('base64');
  }
}
