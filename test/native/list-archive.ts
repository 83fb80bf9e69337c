/** Lists an archive with libarchive, which many tools use. */
import { loadLibrary } from '../../src/native/koffi.ts';

const LC_CTYPE = 0;

// libarchive converts the names of PAX headers to the encoding of the locale; in the C locale all others fail.
loadLibrary('libc.so.6').func('const char *setlocale(int category, const char *locale)')(LC_CTYPE, 'C.UTF-8');

export interface ListedEntry {
  readonly name: string;
  readonly kind: 'file' | 'directory' | 'symlink' | 'hard link' | 'other';
  /** The first bytes of the content, as latin-1. */
  readonly content: string;
}

const archive = loadLibrary('libarchive.so.13');
const readNew = archive.func('void *archive_read_new()');
const supportTar = archive.func('int archive_read_support_format_tar(void *archive)');
const supportEmpty = archive.func('int archive_read_support_format_empty(void *archive)');
const openMemory = archive.func(
  'int archive_read_open_memory(void *archive, const uint8_t *data, size_t size)',
);
const nextHeader = archive.func('int archive_read_next_header(void *archive, _Out_ void **entry)');
const readData = archive.func('long archive_read_data(void *archive, _Out_ uint8_t *data, size_t size)');
const readFree = archive.func('int archive_read_free(void *archive)');
const errorString = archive.func('const char *archive_error_string(void *archive)');
const pathname = archive.func('const char *archive_entry_pathname(void *entry)');
const filetype = archive.func('uint32_t archive_entry_filetype(void *entry)');
const entrySize = archive.func('int64_t archive_entry_size(void *entry)');
const hardlink = archive.func('const char *archive_entry_hardlink(void *entry)');

const ARCHIVE_OK = 0;
const ARCHIVE_EOF = 1;
const MAX_CONTENT_BYTES = 16 * 1024;
const kinds = new Map<number, ListedEntry['kind']>([
  [0o100000, 'file'],
  [0o040000, 'directory'],
  [0o120000, 'symlink'],
]);

/** @returns the entries, or what libarchive finds wrong, be it a warning */
export function listArchive(data: Buffer): readonly ListedEntry[] | string {
  const reader = readNew();
  try {
    supportTar(reader);
    supportEmpty(reader);
    if (openMemory(reader, data, data.length) !== ARCHIVE_OK) return errorString(reader);
    const entries: ListedEntry[] = [];
    for (;;) {
      const slot: [unknown] = [null];
      const status: number = nextHeader(reader, slot);
      if (status === ARCHIVE_EOF) return entries;
      if (status !== ARCHIVE_OK) return errorString(reader);
      const content = Buffer.alloc(MAX_CONTENT_BYTES);
      const length: number = readData(reader, content, content.length);
      if (length < 0) return errorString(reader);
      // A hole at the end of a sparse file is in its size, but not read.
      const end = Math.max(length, Math.min(Number(entrySize(slot[0])), content.length));
      entries.push({
        name: pathname(slot[0]) ?? '',
        kind: hardlink(slot[0]) === null ? (kinds.get(filetype(slot[0])) ?? 'other') : 'hard link',
        content: content.toString('latin1', 0, end),
      });
    }
  } finally {
    readFree(reader);
  }
}
