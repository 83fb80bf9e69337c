import { createReadStream, fstatSync, readFileSync, type Stats, writeSync } from 'node:fs';
import { findErrno } from '../base/file-error.ts';

/** How long to wait for the reader of a non-blocking pipe. */
const RETRY_MILLISECONDS = 5;

/**
 * Makes a function that writes text to a standard stream. It returns after the write, so that an exit loses nothing.
 *
 * When the reader has closed the pipe (`atomic images list | head`), further text is dropped and the operation
 * continues.
 *
 * @param fd 1 or 2
 */
export function createTextWriter(fd: number): (text: string) => void {
  const write = createRawWriter(fd);
  return (text) => {
    try {
      write(text);
    } catch (error) {
      if (findErrno(error) === undefined || !(error instanceof Error)) throw error;
      // The stream has no path; this one names it in the message.
      throw Object.assign(error, { path: fd === 1 ? 'to standard output' : 'to standard error' });
    }
  };
}

function createRawWriter(fd: number): (text: string) => void {
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

/**
 * As `createTextWriter`, for text whose loss must not fail the operation: after a failed write, further text is dropped.
 */
export function createProgressWriter(fd: number): (text: string) => void {
  const write = createRawWriter(fd);
  let isOpen = true;
  return (text) => {
    if (!isOpen) return;
    try {
      write(text);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error)) throw error;
      isOpen = false;
    }
  };
}

/** Text that an operation writes while it changes something. */
interface LastingWriter {
  /** After a failed write, further text is dropped and the operation continues. */
  write(text: string): void;
  /** @throws the error of the failed write, for the time when the operation is over */
  throwLost(): void;
}

/**
 * As `createTextWriter`, for the lines of a running operation: a terminal that was closed, or a log file on a full disk, must
 * not end it between two changes, nor while it is undone.
 */
export function createLastingWriter(fd: number): LastingWriter {
  const write = createTextWriter(fd);
  let failure: Error | undefined;
  return {
    write(text) {
      if (failure !== undefined) return;
      try {
        write(text);
      } catch (error) {
        if (!(error instanceof Error) || findErrno(error) === undefined) throw error;
        failure = error;
      }
    },
    throwLost() {
      if (failure !== undefined) throw failure;
    },
  };
}

/** The longest answer of a person that is read, in characters. */
const MAX_LINE = 1000;

/**
 * Reads one line of standard input.
 *
 * @param signal ends the wait; the error that is thrown then has the signal's reason as its cause
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

/** The major number of `/dev/null` and its like. */
const MEMORY_DEVICES = 1;

/** Whether a descriptor may be a terminal. This test is much faster than loading the streams of the runtime. */
export function mayBeTerminal(fd: number): boolean {
  const stats = fstatSync(fd);
  return stats.isCharacterDevice() && ((stats.rdev >> 8) & 0xfff) !== MEMORY_DEVICES;
}

/** Access mode of open(2): the two lowest bits are 0 for reading only. */
const ACCESS_MODE = 0o3;

/**
 * Whether a file, pipe, socket or device is open for writing under a descriptor. The runtime's own descriptors, such as
 * an epoll instance under the first free number, do not count.
 */
export function isOpenForWriting(fd: number): boolean {
  const stats = findStats(fd);
  if (stats === undefined) return false;
  if (!stats.isFile() && !stats.isFIFO() && !stats.isSocket() && !stats.isCharacterDevice()) return false;
  const [, flags = '0'] = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8')) ?? [];
  return (Number.parseInt(flags, 8) & ACCESS_MODE) !== 0;
}

function findStats(fd: number): Stats | undefined {
  try {
    return fstatSync(fd);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EBADF') return undefined;
    throw error;
  }
}
