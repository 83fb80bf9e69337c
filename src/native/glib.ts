/** The parts of GLib that libostree's interface needs: errors, variants and reference counts. */
import { koffi, loadLibrary } from './koffi.ts';

/** An opaque pointer that a library returned. */
export type Pointer = unknown;
/** Where a library writes a pointer; the slot holds `null` until then. */
export type PointerSlot = [Pointer | null];

const glib = loadLibrary('libglib-2.0.so.0');
const gobject = loadLibrary('libgobject-2.0.so.0');

const errorType = koffi.struct('atomic_GError', { domain: 'uint32_t', code: 'int', message: 'const char *' });
const quarkToString = glib.func('const char *g_quark_to_string(uint32_t quark)');
const errorFree = glib.func('void g_error_free(void *error)');
const memoryFree = glib.func('void g_free(void *memory)');
const objectUnref = gobject.func('void g_object_unref(void *object)');
const variantUnref = glib.func('void g_variant_unref(void *variant)');
const variantRefSink = glib.func('void *g_variant_ref_sink(void *variant)');
const variantGetData = glib.func('void *g_variant_get_data(void *variant)');
const variantGetSize = glib.func('size_t g_variant_get_size(void *variant)');
const variantTypeNew = glib.func('void *g_variant_type_new(const char *type)');
const bytesNew = glib.func('void *g_bytes_new(const uint8_t *data, size_t size)');
const bytesUnref = glib.func('void g_bytes_unref(void *bytes)');
const variantNewFromBytes = glib.func(
  'void *g_variant_new_from_bytes(void *type, void *bytes, bool trusted)',
);

/**
 * GLib and libostree print broken assertions for their developers. The text goes to the journal of systemd, so that a
 * bug report can include it and the output of a command does not.
 */
const setLogWriter = glib.func('void g_log_set_writer_func(void *writer, void *data, void *release)');
setLogWriter(glib.symbol('g_log_writer_journald'), null, null);
// That writer receives every message, also debug messages that GLib's own writer drops unless G_MESSAGES_DEBUG is set.
// getpid ignores the message.
const ignoreMessage = loadLibrary('libc.so.6').symbol('getpid');
const INFO_AND_DEBUG = (1 << 6) | (1 << 7);
const setLogHandler = glib.func(
  'unsigned int g_log_set_handler(const char *domain, int levels, void *handler, void *data)',
);
for (const domain of ['OSTree', 'GLib', 'GLib-GIO', 'GLib-GObject']) {
  setLogHandler(domain, INFO_AND_DEBUG, ignoreMessage, null);
}

/** A `GError`, copied and freed. `domain` and `code` as in the library's headers, such as `g-io-error-quark` 1. */
export class GErrorThrown extends Error {
  readonly domain: string;
  readonly code: number;

  constructor(domain: string, code: number, message: string) {
    super(message);
    this.name = 'GErrorThrown';
    this.domain = domain;
    this.code = code;
  }
}

/** Codes of `g-io-error-quark` that callers distinguish. */
export const IoErrorCode = {
  notFound: 1,
  noSpace: 12,
  permissionDenied: 14,
  readOnly: 21,
  tooManyOpenFiles: 31,
} as const;

/** Copies and frees the error of a failed call. A call that breaks an assertion of the library sets no error. */
export function takeError(slot: PointerSlot): GErrorThrown {
  if (slot[0] === null) return new GErrorThrown('', 0, 'the library gave no reason; the journal may have it');
  const { domain, code, message } = koffi.decode(slot[0], errorType) as {
    domain: number;
    code: number;
    message: string;
  };
  errorFree(slot[0]);
  return new GErrorThrown(quarkToString(domain) ?? '', code, message);
}

export function unrefObject(object: Pointer): void {
  objectUnref(object);
}

export function freeMemory(memory: Pointer): void {
  memoryFree(memory);
}

const variantTypes = new Map<string, Pointer>();

/** Makes a variant from its serialised form; the caller owns one reference. */
export function createVariant(type: string, data: Buffer): Pointer {
  let variantType = variantTypes.get(type);
  if (variantType === undefined) {
    variantType = variantTypeNew(type);
    variantTypes.set(type, variantType);
  }
  const bytes = bytesNew(data, data.length);
  const variant = variantRefSink(variantNewFromBytes(variantType, bytes, false));
  bytesUnref(bytes);
  return variant;
}

export function unrefVariant(variant: Pointer): void {
  variantUnref(variant);
}

/** Copies the serialised form of a variant. */
export function readVariant(variant: Pointer): Buffer {
  const size: number = variantGetSize(variant);
  return size === 0 ? Buffer.alloc(0) : Buffer.from(koffi.decode(variantGetData(variant), 'uint8_t', size));
}
