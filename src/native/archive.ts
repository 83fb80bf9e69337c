/** Reading a tar stream with libarchive; libostree walks the entries itself. */
import type { Pointer } from './glib.ts';
import { loadLibrary } from './koffi.ts';

/** Bytes that libarchive asks of the pipe at a time. */
const BLOCK_BYTES = 1024 * 1024;
const LC_CTYPE = 0;

const archive = loadLibrary('libarchive.so.13');
const libc = loadLibrary('libc.so.6');
const setLocale = libc.func('const char *setlocale(int category, const char *locale)');
const readNew = archive.func('void *archive_read_new()');
const supportTar = archive.func('int archive_read_support_format_tar(void *archive)');
const supportEmpty = archive.func('int archive_read_support_format_empty(void *archive)');
const openFd = archive.func('int archive_read_open_fd(void *archive, int fd, size_t block)');
const readFree = archive.func('int archive_read_free(void *archive)');
const errorString = archive.func('const char *archive_error_string(void *archive)');

// libarchive converts the names of PAX headers, which are UTF-8, to the locale's encoding; in the C locale every name
// outside ASCII would fail.
setLocale(LC_CTYPE, 'C.UTF-8');

/**
 * Opens a reader of an uncompressed tar stream. libarchive reads the first block at once, so this runs on a worker
 * thread: whoever writes the stream may be this thread.
 *
 * @param fd a readable descriptor, such as the end of a pipe; it stays the caller's
 */
export async function openTarReader(fd: number): Promise<Pointer> {
  const reader = readNew();
  supportTar(reader);
  supportEmpty(reader);
  const status = await new Promise<number>((resolve, reject) => {
    openFd.async(reader, fd, BLOCK_BYTES, (error: Error | null, value: number) =>
      error === null ? resolve(value) : reject(error),
    );
  });
  if (status === 0) return reader;
  const message: string = errorString(reader) ?? 'unknown error';
  readFree(reader);
  throw new Error(`archive_read_open_fd: ${message}`);
}

export function closeTarReader(reader: Pointer): void {
  readFree(reader);
}
