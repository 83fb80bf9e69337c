/** Finds the program that the kernel starts in place of a file: the one of a `#!` line, or the dynamic linker. */

const maxLine = 255;
/** ELF: the type of the program header that names the dynamic linker. */
const PT_INTERP = 3;

/**
 * @param start the first bytes of the file
 * @returns its path as written, and for `#!/usr/bin/env NAME` the name; `undefined` when it has none, or none that can
 *   be read from these bytes
 */
export function findInterpreter(
  start: Uint8Array,
): { readonly path: string; readonly argument: string } | undefined {
  if (start[0] === 0x23 && start[1] === 0x21) return parseScriptLine(start);
  const isElf = start[0] === 0x7f && start[1] === 0x45 && start[2] === 0x4c && start[3] === 0x46;
  const path = isElf ? findLinker(start) : undefined;
  return path === undefined ? undefined : { path, argument: '' };
}

/** Blanks around the path do not count; a carriage return does, as for the kernel. */
function parseScriptLine(
  start: Uint8Array,
): { readonly path: string; readonly argument: string } | undefined {
  const line = Buffer.from(start.subarray(2, maxLine)).toString('latin1').split('\n')[0] ?? '';
  const [path = '', argument = ''] = line.replace(/^[ \t]+/, '').split(/[ \t]+/);
  return path === '' ? undefined : { path, argument };
}

function findLinker(start: Uint8Array): string | undefined {
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength);
  const is64 = start[4] === 2;
  const isLittle = start[5] === 1;
  const header = is64 ? { table: 32, size: 54, count: 56 } : { table: 28, size: 42, count: 44 };
  const field = is64 ? { offset: 8, length: 32 } : { offset: 4, length: 16 };
  if (view.byteLength < header.count + 2) return undefined;
  const readWord = (at: number): number =>
    is64 ? Number(view.getBigUint64(at, isLittle)) : view.getUint32(at, isLittle);
  const table = readWord(header.table);
  const size = view.getUint16(header.size, isLittle);
  const count = view.getUint16(header.count, isLittle);
  for (let index = 0; index < count; index++) {
    const at = table + index * size;
    if (at + field.length + 8 > view.byteLength) return undefined;
    if (view.getUint32(at, isLittle) !== PT_INTERP) continue;
    const offset = readWord(at + field.offset);
    const length = readWord(at + field.length);
    if (length < 2 || offset + length > view.byteLength) return undefined;
    return Buffer.from(start.subarray(offset, offset + length - 1)).toString('latin1');
  }
  return undefined;
}
