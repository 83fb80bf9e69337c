/** The machine's zlib, which libostree's libraries need too. Other zlibs, such as the runtime's, compress to other bytes. */
import { koffi, loadLibrary } from './koffi.ts';

const zlib = loadLibrary('libz.so.1');
const libc = loadLibrary('libc.so.6');
const openGzip = zlib.func('void *gzdopen(int fd, const char *mode)');
const write = zlib.func('int gzwrite(void *file, const void *data, uint32_t length)');
const close = zlib.func('int gzclose(void *file)');
const duplicate = libc.func('int dup(int fd)');

/** A gzip file that is being written, with the ten-byte header of zlib. */
interface GzipFile {
  write(chunk: Buffer): void;
  /** Writes the rest and releases the file. The caller must call it, also after a failure. */
  close(): void;
}

/**
 * @param fd file to write to, from its current position on; the caller closes it
 * @param level 1 to 9
 * @throws Error with the code of the system call that failed
 */
export function openGzipFile(fd: number, level: number): GzipFile {
  // Closing the file closes its descriptor.
  const file: unknown = openGzip(duplicate(fd), `wb${level}`);
  if (file === null) throw new Error('gzdopen failed');
  return {
    write(chunk) {
      if (write(file, chunk, chunk.length) !== chunk.length) throw new GzipFailed('gzwrite', koffi.errno());
    },
    close() {
      if (close(file) !== 0) throw new GzipFailed('gzclose', koffi.errno());
    },
  };
}

/** `code` is the name of the errno, such as `ENOSPC`. */
class GzipFailed extends Error {
  readonly code: string;

  constructor(call: string, errno: number) {
    const [code = 'EIO'] = Object.entries(koffi.os.errno).find(([, value]) => value === errno) ?? [];
    super(`${call}: ${code}`);
    this.code = code;
  }
}
