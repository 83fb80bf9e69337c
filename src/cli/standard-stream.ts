import { fstatSync, writeSync } from 'node:fs';

/** How long to wait for a reader when someone has made the pipe non-blocking. */
const RETRY_MILLISECONDS = 5;

/**
 * Makes a function that writes text to a standard stream and returns when it is written, so that nothing is lost when
 * the program exits.
 *
 * A reader that has gone (`atomic images list | head`) is no failure: what follows is dropped, and an operation on the
 * host goes on to its end.
 *
 * @param fd 1 or 2
 */
export function createTextWriter(fd: number): (text: string) => void {
  let isOpen = true;
  return (text) => {
    let rest: Uint8Array = new TextEncoder().encode(text);
    while (isOpen && rest.length > 0) {
      try {
        rest = rest.subarray(writeSync(fd, rest));
      } catch (error) {
        const code = error instanceof Error && 'code' in error ? error.code : undefined;
        if (code === 'EAGAIN')
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MILLISECONDS);
        else if (code === 'EPIPE') isOpen = false;
        else throw error;
      }
    }
  };
}

/** Whether a descriptor can be a terminal at all; much cheaper to know than whether it is one. */
export function isCharacterDevice(fd: number): boolean {
  return fstatSync(fd).isCharacterDevice();
}
