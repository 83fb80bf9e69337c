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
 * Prepares a reader of an uncompressed tar stream. Nothing is read yet.
 *
 * @param fd a readable descriptor, such as the end of a pipe; it stays the caller's
 */
export function openTarReader(fd: number): Pointer {
  const reader = readNew();
  supportTar(reader);
  supportEmpty(reader);
  if (openFd(reader, fd, BLOCK_BYTES) !== 0) {
    const message: string = errorString(reader) ?? 'unknown error';
    readFree(reader);
    throw new Error(`archive_read_open_fd: ${message}`);
  }
  return reader;
}

export function closeTarReader(reader: Pointer): void {
  readFree(reader);
}
