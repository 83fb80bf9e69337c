/**
 * DEFLATE with the choices of Go's `compress/flate` at its default level, which reproduces layers of Docker, BuildKit and
 * containerd byte for byte. Go's output has not changed since Go 1.7 (2016). A test compares with files that Go wrote.
 *
 * The search is that of zlib with lazy matches and hash chains. It differs in the hashes of four bytes, the least
 * match, the blocks of 16,384 tokens, and the window, which is moved as a whole. After a move, fewer bytes than a
 * window are before the position, which hides matches: so this code moves the window at the same positions as Go.
 */
import { DeflateBlocks, MATCH } from './deflate-block.ts';

const WINDOW = 32768;
const WINDOW_MASK = WINDOW - 1;
const HASH_BITS = 17;
const HASH_MULTIPLIER = 0x1e35a7bd;
const MIN_MATCH = 4;
const MAX_MATCH = 258;
/** Bytes that must follow a position before it is processed, unless the input has ended. */
const LOOKAHEAD = MIN_MATCH + MAX_MATCH;
const BLOCK_TOKENS = 16384;
/** After a match of this length, the next position is not searched for a longer one. */
const LAZY = 16;
/** The search ends at a match of this length. */
const NICE = 128;
const MAX_CHAIN = 128;
/** A match of the least length at a larger distance needs more bits than its bytes. */
const MAX_SHORT_DISTANCE = 4096;
const NO_MATCH = MIN_MATCH - 1;
/** Positions in the tables grow with the stream and must stay in 32 bits. */
const MAX_OFFSET = 1 << 30;

export class GoDeflate {
  readonly #blocks = new DeflateBlocks();
  readonly #window = Buffer.alloc(2 * WINDOW);
  #windowEnd = 0;
  #index = 0;
  /** Position of the current block in the window; `undefined` when the window has moved past it. */
  #blockStart: number | undefined = 0;
  readonly #tokens = new Uint32Array(BLOCK_TOKENS);
  #tokenCount = 0;
  /**
   * The last position of each hash, and for each position the previous one with the same hash; positions plus
   * `#offset`, 0 for none.
   */
  readonly #heads = new Int32Array(1 << HASH_BITS);
  readonly #previous = new Int32Array(WINDOW);
  #offset = 1;
  #head = 0;
  /** The match at the previous position, and whether the byte of that position must still be written. */
  #length = NO_MATCH;
  #distance = 0;
  #isPending = false;

  /** @returns the compressed bytes that are complete */
  push(data: Buffer): Buffer[] {
    for (let taken = 0; taken < data.length; ) {
      if (this.#index >= 2 * WINDOW - LOOKAHEAD) this.#moveWindow();
      const count = data.copy(this.#window, this.#windowEnd, taken);
      this.#windowEnd += count;
      taken += count;
      this.#run(false);
    }
    return this.#blocks.take();
  }

  finish(): Buffer[] {
    this.#run(true);
    this.#blocks.finish();
    return this.#blocks.take();
  }

  #moveWindow(): void {
    this.#window.copyWithin(0, WINDOW, 2 * WINDOW);
    this.#index -= WINDOW;
    this.#windowEnd -= WINDOW;
    const start = this.#blockStart;
    this.#blockStart = start === undefined || start < WINDOW ? undefined : start - WINDOW;
    this.#offset += WINDOW;
    if (this.#offset < MAX_OFFSET) return;
    const delta = this.#offset - 1;
    this.#offset = 1;
    this.#head -= delta;
    for (const table of [this.#heads, this.#previous]) {
      for (let at = 0; at < table.length; at++) table[at] = Math.max(0, (table[at] ?? 0) - delta);
    }
  }

  #run(hasEnded: boolean): void {
    const lastHashed = this.#windowEnd - MIN_MATCH;
    for (;;) {
      const lookahead = this.#windowEnd - this.#index;
      if (lookahead < LOOKAHEAD && !hasEnded) return;
      if (lookahead === 0) {
        if (this.#isPending) this.#addToken(this.#window[this.#index - 1] ?? 0);
        this.#isPending = false;
        if (this.#tokenCount > 0) this.#writeBlock(this.#index);
        return;
      }
      if (this.#index <= lastHashed) this.#head = this.#insert(this.#index);
      const length = this.#length;
      const distance = this.#distance;
      this.#length = NO_MATCH;
      this.#distance = 0;
      if (
        this.#head - this.#offset >= Math.max(0, this.#index - WINDOW) &&
        lookahead > length &&
        length < LAZY
      ) {
        this.#findMatch(lookahead);
      }
      if (length > NO_MATCH && this.#length <= length) {
        this.#addToken(MATCH | ((length - 3) << 15) | (distance - 1));
        const end = this.#index + length - 1;
        for (let at = this.#index + 1; at < end; at++) if (at <= lastHashed) this.#insert(at);
        this.#index = end;
        this.#isPending = false;
        this.#length = NO_MATCH;
        if (this.#tokenCount === BLOCK_TOKENS) this.#writeBlock(this.#index);
      } else {
        if (this.#isPending) {
          this.#addToken(this.#window[this.#index - 1] ?? 0);
          if (this.#tokenCount === BLOCK_TOKENS) this.#writeBlock(this.#index);
        }
        this.#index += 1;
        this.#isPending = true;
      }
    }
  }

  /** @returns the entry of the previous position with the same hash */
  #insert(at: number): number {
    const bytes = this.#window.readInt32BE(at);
    const hash = Math.imul(bytes, HASH_MULTIPLIER) >>> (32 - HASH_BITS);
    const head = this.#heads[hash] ?? 0;
    this.#previous[at & WINDOW_MASK] = head;
    this.#heads[hash] = at + this.#offset;
    return head;
  }

  /** Looks for a match at the current position. */
  #findMatch(lookahead: number): void {
    const window = this.#window;
    const position = this.#index;
    const most = Math.min(MAX_MATCH, lookahead);
    const nice = Math.min(NICE, most);
    const first = position - WINDOW;
    let length = NO_MATCH;
    let last = window[position + length];
    let at = this.#head - this.#offset;
    for (let tries = MAX_CHAIN; tries > 0; tries--) {
      if (window[at + length] === last) {
        let count = 0;
        while (count < most && window[at + count] === window[position + count]) count += 1;
        if (count > length && (count > MIN_MATCH || position - at <= MAX_SHORT_DISTANCE)) {
          length = count;
          this.#length = count;
          this.#distance = position - at;
          if (count >= nice) return;
          last = window[position + count];
        }
      }
      if (at === first) return;
      at = (this.#previous[at & WINDOW_MASK] ?? 0) - this.#offset;
      if (at < first || at < 0) return;
    }
  }

  #addToken(token: number): void {
    this.#tokens[this.#tokenCount] = token;
    this.#tokenCount += 1;
  }

  #writeBlock(end: number): void {
    const content = this.#blockStart === undefined ? undefined : this.#window.subarray(this.#blockStart, end);
    this.#blocks.write(this.#tokens.subarray(0, this.#tokenCount), content);
    this.#blockStart = end;
    this.#tokenCount = 0;
  }
}
