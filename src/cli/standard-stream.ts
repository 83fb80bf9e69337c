import { createReadStream, fstatSync, writeSync } from 'node:fs';

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

/** A person's answer is short; what is longer is none. */
const MAX_LINE = 1000;

/**
 * Reads one line of standard input.
 *
 * @param signal ends the wait; its reason is in the error that is thrown then
 * @returns the line without its newline; `undefined` at the end of input
 */
export async function readLine(fd: number, signal: AbortSignal): Promise<string | undefined> {
  const input = createReadStream('', { fd, autoClose: false, signal, encoding: 'utf8' });
  let text = '';
  for await (const chunk of input) {
    text += chunk;
    if (text.includes('\n') || text.length > MAX_LINE) break;
  }
  return text === '' ? undefined : text.split('\n', 1)[0];
}

/** Whether a descriptor can be a terminal at all; much cheaper to know than whether it is one. */
export function isCharacterDevice(fd: number): boolean {
  return fstatSync(fd).isCharacterDevice();
}
