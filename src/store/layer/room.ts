import { AtomicError } from '../../base/errors.ts';

/** No file is so large that it needs this room. */
const NOTHING_MAY_BE_WRITTEN = -(2n ** 62n);

/** The number of content bytes that may still be written. The main thread and the worker take from one number. */
export class Room {
  readonly shared: SharedArrayBuffer;
  readonly #bytes: BigInt64Array;

  constructor(shared: SharedArrayBuffer) {
    this.shared = shared;
    this.#bytes = new BigInt64Array(shared);
  }

  static of(bytes: number): Room {
    const room = new Room(new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT));
    room.#bytes[0] = BigInt(bytes);
    return room;
  }

  /** @throws AtomicError NO_SPACE */
  take(bytes: number): void {
    if (Atomics.sub(this.#bytes, 0, BigInt(bytes)) < BigInt(bytes)) throw noRoom();
  }

  /** Ends the room, so that the worker writes no further file. */
  close(): void {
    Atomics.store(this.#bytes, 0, NOTHING_MAY_BE_WRITTEN);
  }
}

export function noRoom(): AtomicError {
  return new AtomicError(
    'NO_SPACE',
    'No space left on the filesystem apart from the space that must stay free',
    { hint: 'Free some space on the filesystem of the image store and try again.' },
  );
}
