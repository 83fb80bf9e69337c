/** Extended attributes of files and symlinks; symlinks are not followed. Node has no API for them. */
import { koffi, loadLibrary } from './koffi.ts';
import { SystemCallFailed } from './libc.ts';

const libc = loadLibrary('libc.so.6');
const listCall = libc.func('long llistxattr(const char *path, _Out_ uint8_t *list, size_t size)');
const listByBytesCall = libc.func('long llistxattr(const uint8_t *path, _Out_ uint8_t *list, size_t size)');
const getCall = libc.func(
  'long lgetxattr(const char *path, const uint8_t *name, _Out_ uint8_t *value, size_t size)',
);
const setCall = libc.func(
  'int lsetxattr(const char *path, const uint8_t *name, const uint8_t *value, size_t size, int flags)',
);

/** The kernel's limits for all names of a file, and for one value (linux/limits.h). */
const MAX_BYTES = 65536;
const END = Buffer.alloc(1);
// Calls are synchronous, so one buffer of each serves all. A new buffer for every file would cost filling it with zeros.
const list = Buffer.alloc(MAX_BYTES);
const value = Buffer.alloc(MAX_BYTES);

/** `name` has its namespace and no final NUL: `security.capability`. */
export type ExtendedAttribute = readonly [name: Buffer, value: Buffer];

/**
 * Reads all extended attributes, in the order of the disk.
 *
 * @throws SystemCallFailed
 */
export function readXattrs(path: string): readonly ExtendedAttribute[] {
  const length = checked('llistxattr', listCall(path, list, list.length), path);
  return splitNames(length).map((name) => {
    const size = checked('lgetxattr', getCall(path, Buffer.concat([name, END]), value, value.length), path);
    return [name, Buffer.from(value.subarray(0, size))];
  });
}

/**
 * Lists the names of all extended attributes, in the order of the disk.
 *
 * @param path bytes, because it need not be UTF-8
 * @throws SystemCallFailed
 */
export function listXattrNames(path: Buffer): readonly Buffer[] {
  const result = listByBytesCall(Buffer.concat([path, END]), list, list.length);
  return splitNames(checked('llistxattr', result, path.toString('utf8')));
}

/** Reads one attribute; `undefined` when there is none of this name. @throws SystemCallFailed */
export function findXattr(path: string, name: Buffer): Buffer | undefined {
  const size: number = getCall(path, Buffer.concat([name, END]), value, value.length);
  if (size < 0 && koffi.errno() === koffi.os.errno.ENODATA) return undefined;
  return Buffer.from(value.subarray(0, checked('lgetxattr', size, path)));
}

/** @throws SystemCallFailed */
export function writeXattr(path: string, [name, content]: ExtendedAttribute): void {
  checked('lsetxattr', setCall(path, Buffer.concat([name, END]), content, content.length, 0), path);
}

/** @param length of the names in `list`, with their NULs */
function splitNames(length: number): Buffer[] {
  const names: Buffer[] = [];
  for (let start = 0; start < length; ) {
    const end = list.indexOf(0, start);
    names.push(Buffer.from(list.subarray(start, end)));
    start = end + 1;
  }
  return names;
}

function checked(call: string, result: number, path: string): number {
  if (result < 0) throw new SystemCallFailed(call, koffi.errno(), path);
  return result;
}
